//! A file is brought, a day is compared: both are long, so they go on beside the page, by the same functions as the API's.

use crate::domain::ids::PartnerCode;
use crate::domain::statement::StatementKind;
use crate::domain::user::Right;
use crate::finance::form::{self, Form};
use crate::finance::session::Who;
use crate::finance::shell::to;
use crate::finance::stop::Stop;
use crate::finance::upload;
use crate::finance::words::Words;
use crate::finance::work::{End, Verb, WORKS, What, Work};
use crate::http::internal::Internal;
use crate::http::problem::Problem;
use crate::http::statements::{self, DayToCompare, NAME_MAX, Upload};
use crate::partner::Profile;
use crate::reconcile::import::{Stage, Taken};
use crate::reconcile::run;
use actix_web::{HttpRequest, HttpResponse, web};
use jiff::civil::Date;
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// What a form says of a day.
type Wanted = (Arc<Profile>, StatementKind, Date);

/// Which partner's day, with whose word; the profile must say how that is written.
fn wanted((partner, kind, day): (&str, &str, &str), internal: &Internal, w: Words) -> Result<Wanted, Stop> {
    let profile = internal.intake.profile(partner).ok_or_else(|| Stop::bad(w.file_no_partner(), w))?;
    let kind = StatementKind::parse(kind).ok_or_else(|| Stop::bad(w.file_bad_filter(), w))?;
    let day = day.parse().map_err(|_not_a_day| Stop::bad(w.file_bad_day(), w))?;
    statements::layout(&profile, kind).map_err(|_missing| Stop::bad(w.file_no_layout(), w))?;
    Ok((profile, kind, day))
}

/// `POST /files`
pub(super) async fn bring(
    request: HttpRequest,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let w = who.words();
    let field = |form: &Form, name: &str| form.text(name).unwrap_or_default().to_owned();
    let checked = |form: &Form| {
        let [partner, kind, day] = ["partner", "kind", "day"].map(|name| field(form, name));
        wanted((&partner, &kind, &day), &internal, w)
    };
    let (uploaded, (profile, kind, day)) = upload::read((&request, payload), &who, &internal, checked).await?;
    if uploaded.name.is_empty() {
        return Err(Stop::bad(w.file_none_chosen(), w));
    }
    let name = short(&uploaded.name);
    let what = What { verb: Verb::Take, kind, partner: profile.code().clone(), day, name: name.clone() };
    let work = begun(what, &who, &internal)?;
    let upload = Upload { profile, kind, day, name, spool: uploaded.spool, author: who.author().clone() };
    actix_web::rt::spawn(take(internal.clone(), Arc::clone(&work), upload));
    Ok(to(&format!("/work/{}", work.id)))
}

/// A browser's name of a file as we keep it.
fn short(name: &str) -> String {
    let mut short: String = name.chars().filter(|c| !c.is_control()).collect();
    while short.len() > NAME_MAX {
        short.pop();
    }
    short
}

fn begun(what: What, who: &Who, internal: &Internal) -> Result<Arc<Work>, Stop> {
    let now = internal.intake.clock().now();
    WORKS.begin(what, who.author().clone(), now).map_err(|problem| Stop::of(problem, who.words()))
}

/// The turn, after those who came before.
async fn turn(internal: &Internal) -> Result<OwnedSemaphorePermit, Problem> {
    Arc::clone(&internal.long_work).acquire_owned().await.map_err(|_closed| Problem::unavailable())
}

async fn take(internal: web::Data<Internal>, work: Arc<Work>, upload: Upload) {
    let telling = Arc::clone(&work);
    let taken = match turn(&internal).await {
        Ok(turn) => statements::taken(&internal, turn, upload, move |stage| tell(&telling, stage)).await,
        Err(problem) => Err(problem),
    };
    work.over(match taken {
        Ok(Ok(Taken::New { file, .. })) => End::Taken { file, new: true },
        Ok(Ok(Taken::Before(file))) => End::Taken { file, new: false },
        Ok(Err(why)) => End::NotTaken(why),
        Err(problem) => End::No(problem),
    });
}

/// Bytes of the file: one half for the checking, the other one for the writing.
fn tell(work: &Work, stage: Stage) {
    let (_, bytes) = work.told();
    match stage {
        Stage::Checked(at, of) => work.tell(at / 2, of),
        Stage::Written(at, of) => work.tell(bytes / 2 + (bytes / 2).saturating_mul(at) / of.max(1), bytes),
    }
}

/// `POST /reconciliations/{partner}/{date}`
pub(super) async fn compare(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    payload: web::Payload,
    who: Who,
    internal: web::Data<Internal>,
) -> Result<HttpResponse, Stop> {
    who.must(Right::Propose)?;
    let w = who.words();
    let (partner, day) = path.into_inner();
    let form = form::read(&request, payload, &who).await?;
    let (profile, kind, day) = wanted((&partner, form.text("kind").unwrap_or("partner"), &day), &internal, w)?;
    let partner: PartnerCode = profile.code().clone();
    let work = begun(What { verb: Verb::Compare, kind, partner, day, name: String::new() }, &who, &internal)?;
    let asked = DayToCompare { profile, kind, day, author: who.author().clone() };
    actix_web::rt::spawn(compare_day(internal.clone(), Arc::clone(&work), asked));
    Ok(to(&format!("/work/{}", work.id)))
}

async fn compare_day(internal: web::Data<Internal>, work: Arc<Work>, asked: DayToCompare) {
    let telling = Arc::clone(&work);
    let told = move |stage| match stage {
        run::Stage::Read(rows) | run::Stage::Matched(rows) => telling.tell(rows, 0),
    };
    let compared = match turn(&internal).await {
        // The differences are breaks, and read from there.
        Ok(turn) => statements::compared(&internal, turn, asked, 0, told).await,
        Err(problem) => Err(problem),
    };
    work.over(match compared {
        Ok(Ok(_)) => End::Compared,
        Ok(Err(why)) => End::NotCompared(why),
        Err(problem) => End::No(problem),
    });
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_files_name_is_short_and_plain() {
        assert_eq!(short("sao kê\r\n 01.csv"), "sao kê 01.csv");
        assert!(short(&"ế".repeat(100)).len() <= super::NAME_MAX);
    }
}
