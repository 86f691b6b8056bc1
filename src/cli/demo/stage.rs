//! What the demo needs before its day begins: who pays what to whom, the gateway's configuration with a token for every
//! person, a folder that is gone at the end.

use super::{Args, failed};
use crate::app::Running;
use crate::cli::Failure;
use crate::config::Config;
use crate::domain::ids::Author;
use crate::domain::invoice::Invoice;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;
use crate::domain::user::{Role, Roles};
use crate::finance::password;
use crate::ledger::transact;
use crate::outbox::internal_client::InternalClient;
use crate::partner::Partners;
use crate::sandbox::bills;
use crate::sandbox::chance::Chance;
use crate::sandbox::collector::Payment;
use crate::sandbox::core_book::{Act, Order};
use crate::sandbox::evening::{STAFF, Staff};
use crate::sandbox::scenario::Scenario;
use crate::store::users::User;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the gateway may take over the import.
const IMPORT_TIMEOUT: Duration = Duration::from_secs(60);

/// Payments take turns through the collectors; each bill is in one story only, so the order in which the stories
/// are told changes no sum.
pub(super) fn share_out(args: &Args, bills: &[Invoice], collectors: usize) -> Vec<Vec<Payment>> {
    let mut shares = vec![Vec::new(); collectors];
    let mut turn = (0..collectors).cycle();
    for (n, bill) in (1..).zip(bills) {
        let payment = Payment { n, scenario: Scenario::of(Chance(args.seed), n), bill: bill.clone() };
        if let Some(share) = turn.next().and_then(|collector| shares.get_mut(collector)) {
            share.push(payment);
        }
    }
    shares
}

/// Two bills that the core will not take without a person: one it refuses, one it says somebody else has cleared.
pub(super) fn grudges(payments: &[Vec<Payment>]) -> Vec<Order> {
    let plain = payments.iter().flatten().filter(|payment| payment.scenario == Scenario::Plain);
    let acts = [Act::Status { code: 422, retry_after_s: None }, Act::ClearedByOther];
    plain
        .zip(acts)
        .map(|(payment, act)| Order { invoice: Some(payment.bill.id.to_string()), times: None, act })
        .collect()
}

pub(super) fn load(dir: &Path) -> Result<Partners, Failure> {
    let partners = Partners::load_without_secrets(dir).map_err(|errors| {
        Failure::Wrong(format!("{errors}\nrun this in the project's folder, or name the profiles with --partners DIR"))
    })?;
    if partners.iter().next().is_none() {
        let dir = dir.display();
        return Err(Failure::Wrong(format!("{dir}: expected at least one profile, or --partners DIR")));
    }
    Ok(partners)
}

pub(super) fn config(
    folder: &Folder,
    args: &Args,
    core: (&str, &str),
    tokens: &[String; 4],
) -> Result<Config, Failure> {
    let kept = |name: &str, secret: &str| {
        let path = folder.0.join(name);
        std::fs::write(&path, secret).map_err(failed)?;
        Ok::<_, Failure>(toml::Value::String(format!("file:{}", path.display())))
    };
    let quoted = |path: &Path| toml::Value::String(path.display().to_string());
    let store = toml::Value::String(format!("sqlite://{}", folder.0.join("books.db").display()));
    let (core_url, whsec) = core;
    let (core, seal) = (kept("core", whsec)?, kept("seal", &hex::encode(random()?))?);
    let mut text = format!(
        "[listen]\npublic = \"127.0.0.1:0\"\ninternal = \"127.0.0.1:{}\"\nworkers = 2\n\
         [server]\nenvironment = \"demo\"\n\
         [limits]\npeer_per_second = 1000000\npeer_burst = 1000000\ntotal_per_second = 1000000\ntotal_burst = 1000000\n\
         [store]\nurl = {store}\n[seal]\nsecret = {seal}\nevery_s = 1\n[core]\nurl = \"{core_url}\"\nsecret = {core}\n\
         [partners]\ndir = {}\n[drain]\nready_ms = 0\n",
        args.port,
        quoted(&args.partners),
    );
    let [maker, checker, admin] = STAFF;
    let callers = [
        ("demo", "\"invoices\", \"read\", \"ops\""),
        (maker, "\"read\", \"finance\""),
        (checker, "\"read\", \"finance\""),
        (admin, "\"read\", \"ops\""),
    ];
    for ((name, scope), token) in callers.into_iter().zip(tokens) {
        let secret = kept(name, token)?;
        text.push_str(&format!("[[token]]\nname = \"{name}\"\nscope = [{scope}]\nsecret = {secret}\n"));
    }
    Ok(Config::of(Path::new("the demo's configuration"), &text, [])?)
}

/// Everybody who may log in to the demo's pages, each with one role, under one password that is made up anew each time.
/// Those who also have a token go by the same name.
pub(super) fn people(config: &Config, at: Timestamp) -> Result<String, Failure> {
    let [maker, checker, admin] = STAFF;
    let secret = hex::encode(random()?);
    let password = secret.get(..12).unwrap_or_default().to_owned();
    let phc = password::hash(&password).map_err(failed)?;
    let by = Author::parse("system:demo").map_err(failed)?;
    let named = [
        (maker, Role::Maker),
        (checker, Role::Checker),
        (admin, Role::Admin),
        ("demo-ops", Role::Ops),
        ("demo-viewer", Role::Viewer),
    ];
    let users = named.into_iter().map(|(name, role)| {
        let name = Author::parse(name).map_err(failed)?;
        let new = User::new(name, Roles::of(&[role]), phc.clone(), (by.clone(), at));
        Ok(User { given: false, ..new })
    });
    let users: Vec<User> = users.collect::<Result<_, Failure>>()?;
    let mut store = crate::app::open_store(config)?;
    let added = transact(store.as_mut(), |tx| users.iter().try_for_each(|user| tx.add_user(user).map(drop)));
    added.map_err(failed)?;
    Ok(password)
}

/// Tells the gateway of the bills, as the billing core does.
pub(super) async fn register(gateway: &Running, token: &str, bills: &[Invoice]) -> Result<(), Failure> {
    let url = format!("http://{}/api/v1/invoices", gateway.internal());
    let http = crate::sandbox::collector::http_client(IMPORT_TIMEOUT).map_err(Failure::Failed)?;
    let answer = http
        .put(url)
        .bearer_auth(token)
        .header("content-type", "application/x-ndjson")
        .body(bills::to_ndjson(bills))
        .send()
        .await
        .map_err(|error| Failure::Failed(format!("the bills could not be registered: {error}")))?;
    let status = answer.status();
    let text = answer.text().await.unwrap_or_default();
    if status.is_success() {
        Ok(())
    } else {
        Err(Failure::Failed(format!("the bills were not taken: {status} {text}")))
    }
}

pub(super) fn staff(gateway: &Running, tokens: [String; 3]) -> Result<Staff, Failure> {
    let base = format!("http://{}", gateway.internal());
    let client = |token: String| InternalClient::new(&base, Secret::new(token.into_bytes())).map_err(Failure::Failed);
    let [maker, checker, admin] = tokens;
    Ok(Staff { maker: client(maker)?, checker: client(checker)?, admin: client(admin)? })
}

/// A folder of its own, gone when the demo ends.
pub(super) struct Folder(pub(super) PathBuf);

impl Folder {
    pub(super) fn make() -> Result<Self, Failure> {
        let [a, b, c, d, ..] = random()?;
        let path = std::env::temp_dir().join(format!("thuho-demo-{}", hex::encode([a, b, c, d])));
        std::fs::create_dir(&path).map_err(failed)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whoever cleans temporary folders will find what could not be removed.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

pub(super) fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_none| Failure::Failed("the machine gives no random numbers".to_owned()))?;
    Ok(bytes)
}
