//! The frame around each page, and how a page leaves: with the headers that let it load nothing but our own files.

use super::session::Who;
use super::stop::Stop;
use super::words::Words;
use crate::domain::user::Right;
use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use askama::Template;

/// Where everything that a page loads comes from: this gateway. No inline script and no inline style.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The parts of the desk, in the order of the menu.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A line for each partner and day.
    Today,
    /// What does not tie out.
    Breaks,
    /// Transfers without a sure invoice.
    Desk,
    /// What waits for a second person.
    Approvals,
    /// What others say of a day.
    Files,
    /// What the bank should bring and brought.
    Settlement,
    /// For paper.
    Minutes,
    /// Days and months that are signed off.
    Closes,
    /// What rules propose by themselves.
    Rules,
    /// Who collects for us.
    Partners,
    /// Messages to the core.
    Outbox,
    /// Who looked at what and did what.
    Audit,
    /// Who works here.
    Users,
    /// Everything about one customer.
    Customer,
    /// One's own settings.
    Me,
}

impl Part {
    const MENU: [Self; 14] = [
        Self::Today,
        Self::Breaks,
        Self::Desk,
        Self::Approvals,
        Self::Customer,
        Self::Files,
        Self::Settlement,
        Self::Closes,
        Self::Minutes,
        Self::Outbox,
        Self::Partners,
        Self::Rules,
        Self::Audit,
        Self::Users,
    ];

    /// Its name in the menu.
    #[must_use]
    pub fn name(self, w: Words) -> &'static str {
        match self {
            Self::Today => w.today(),
            Self::Breaks => w.breaks(),
            Self::Desk => w.desk(),
            Self::Approvals => w.approvals(),
            Self::Files => w.files(),
            Self::Settlement => w.settlement(),
            Self::Minutes => w.minutes(),
            Self::Closes => w.closes(),
            Self::Rules => w.rules(),
            Self::Partners => w.partners(),
            Self::Outbox => w.outbox(),
            Self::Audit => w.audit(),
            Self::Users => w.users(),
            Self::Customer => w.customers(),
            Self::Me => w.my_settings(),
        }
    }

    /// Its address.
    #[must_use]
    pub fn place(self) -> &'static str {
        match self {
            Self::Today => "/",
            Self::Breaks => "/breaks",
            Self::Desk => "/desk",
            Self::Approvals => "/approvals",
            Self::Files => "/files",
            Self::Settlement => "/settlement",
            Self::Minutes => "/minutes",
            Self::Closes => "/closes",
            Self::Rules => "/rules",
            Self::Partners => "/partners",
            Self::Outbox => "/outbox",
            Self::Audit => "/audit",
            Self::Users => "/users",
            Self::Customer => "/customers",
            Self::Me => "/me",
        }
    }

    /// What is needed to see it.
    #[must_use]
    pub fn needs(self) -> Right {
        match self {
            Self::Users => Right::Manage,
            Self::Audit => Right::Oversee,
            _ => Right::Look,
        }
    }
}

/// A line of the menu.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// Its name.
    pub name: &'static str,
    /// Where it leads.
    pub place: &'static str,
    /// Is this page under it?
    pub here: bool,
}

/// What the frame says.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The words.
    pub w: Words,
    /// Who looks.
    pub name: String,
    /// As what.
    pub roles: String,
    /// For forms.
    pub csrf: String,
    /// The colours.
    pub theme: &'static str,
    /// The language.
    pub lang: &'static str,
    /// The menu.
    pub menu: Vec<Link>,
    /// What was just done.
    pub said: Option<String>,
}

impl Shell {
    /// Around a page of this part.
    #[must_use]
    pub fn new(who: &Who, part: Part) -> Self {
        let w = who.words();
        let shown = |of: &Part| who.may(of.needs());
        let link = |of: Part| Link { name: of.name(w), place: of.place(), here: of == part };
        Self {
            w,
            name: who.author().to_string(),
            roles: who.roles().join(", "),
            csrf: who.csrf.clone(),
            theme: who.theme().word(),
            lang: who.tongue().word(),
            menu: Part::MENU.into_iter().filter(shown).map(link).collect(),
            said: None,
        }
    }

    /// With a sentence about what was just done.
    #[must_use]
    pub fn saying(mut self, said: Option<impl Into<String>>) -> Self {
        self.said = said.map(Into::into);
        self
    }
}

/// A page.
///
/// # Errors
/// None in practice: a template fails only where what it shows does.
pub fn page(template: &impl Template, w: Words) -> Result<HttpResponse, Stop> {
    let text = template.render().map_err(|error| {
        tracing::error!(%error, "A page could not be written");
        Stop::of(crate::http::problem::Problem::internal(), w)
    })?;
    Ok(html(text))
}

/// A text of HTML with the headers of every page.
#[must_use]
pub fn html(text: String) -> HttpResponse {
    let mut response = HttpResponse::Ok().content_type("text/html; charset=utf-8").body(text);
    guard(&mut response);
    response
}

/// To another page, by GET.
#[must_use]
pub fn to(place: &str) -> HttpResponse {
    let mut response = HttpResponse::SeeOther().insert_header((header::LOCATION, place)).finish();
    guard(&mut response);
    response
}

fn guard(response: &mut HttpResponse) {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Addresses hold codes of customers.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
