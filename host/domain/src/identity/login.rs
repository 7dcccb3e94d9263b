//! The conversation: which connections there are, beginning a sign-in, and continuing it with what came back.

use super::{
    LoginError,
    complete::{self, SignedInAs},
    state::{self, Ticket},
};
use crate::{
    App, Problem, TenantCtx,
    access::Secret,
    plugins::{
        calls::{self, Loaded},
        error::{Doing, clean, fault_problem},
        grants, installations,
        manifest::CallClass,
        port::{LoginInput, LoginProgress, LoginStart, LoginStep, PluginKind, PromptField},
    },
    tenancy,
};
use aistack_core::{InstallationId, LoginId, Outcome};
use aistack_store::{InstallationStatus, Page, PendingLogin};
use serde::Serialize;
use serde_json::{Value, json};
use std::time::Duration;

/// Where a browser goes when nothing else was asked for.
const HOME: &str = "/console/";
/// Longest time a half-finished sign-in may wait, whatever the plugin says.
const MAX_WAIT: Duration = Duration::from_secs(15 * 60);
/// Largest state a plugin may ask us to keep.
const MAX_STATE: usize = 64 << 10;

/// A connection people may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Connection {
    /// The installation.
    pub id: InstallationId,
    /// Name.
    pub name: String,
    /// Always `identity`.
    pub kind: &'static str,
    /// Plugin.
    pub plugin_id: String,
}

/// How people may sign in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Methods {
    /// With address and password.
    pub password: bool,
    /// Through these connections.
    pub connections: Vec<Connection>,
}

/// How people may sign in to a tenant.
///
/// # Errors
/// As the store.
pub async fn methods(app: &App, t: &TenantCtx) -> Result<Methods, Problem> {
    let page = Page {
        limit: 200,
        newest_first: false,
        ..Page::default()
    };
    let mut read = app.store.tenant_read(&t.scope).await?;
    let rows = read
        .installations()
        .list(&page, Some(PluginKind::Identity.as_str()))
        .await?;
    Ok(Methods {
        password: true,
        connections: rows
            .into_iter()
            .filter(|r| r.status == InstallationStatus::Active)
            .map(|r| Connection {
                id: r.id,
                name: r.name,
                kind: PluginKind::Identity.as_str(),
                plugin_id: r.plugin_id,
            })
            .collect(),
    })
}

/// How a sign-in is asked for.
#[derive(Debug, Clone, Default)]
pub struct Begin {
    /// Local path to go to afterwards.
    pub return_to: Option<String>,
    /// OIDC `prompt`.
    pub prompt: Option<String>,
    /// Name or address to prefill.
    pub login_hint: Option<String>,
}

/// A step the browser has to take, and the cookie that lets it go on.
#[derive(Debug, Clone)]
pub struct Started {
    /// Value of the sign-in cookie.
    pub cookie: String,
    /// How long the cookie is of use.
    pub max_age: Duration,
    /// The step.
    pub step: LoginStep,
}

/// What a continued sign-in came to.
#[derive(Debug)]
pub enum Continued {
    /// Another step.
    Step(Started),
    /// A session, and where to go.
    Done {
        /// The session.
        session: Box<SignedInAs>,
        /// Local path.
        return_to: String,
    },
}

/// The connection, for one sign-in. While a version is on trial, one version takes all its steps.
async fn connection(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    login: LoginId,
) -> Result<std::sync::Arc<Loaded>, Problem> {
    tenancy::lifecycle::check(&t.tenant, tenancy::lifecycle::Use::SignIn, false)?;
    calls::load_for(app, t, id, None, Some(login.0))
        .await
        .and_then(|loaded| {
            // Somebody else's installation, or one that is no connection, is not told apart from none.
            if loaded.kind == PluginKind::Identity {
                Ok(loaded)
            } else {
                Err(Problem::not_found("connection"))
            }
        })
}

/// Begins a sign-in.
///
/// # Errors
/// `malformed_request` for a foreign `return_to`, `not_found`, `plugin_unavailable`, `plugin_failed`, `login_refused`,
/// `tenant_state_forbids`, or as the stores.
pub async fn start(app: &App, t: &TenantCtx, id: InstallationId, begin: Begin) -> Result<Started, Problem> {
    let return_to = match begin.return_to.as_deref() {
        None | Some("") => HOME,
        Some(path) => state::local_path(path).ok_or(LoginError::ReturnTo)?,
    };
    let ticket = Ticket {
        id: LoginId::new(&*app.clock, &*app.rng),
        secret: Secret::generate(&*app.rng),
    };
    let loaded = connection(app, t, id, ticket.id).await?;
    let login = LoginStart {
        return_url: installations::callback_url(app, t, id),
        user_agent: t.ctx.origin.user_agent.clone().unwrap_or_default(),
        login_hint: begin.login_hint.map(|h| clean(&h, 254)).filter(|h| !h.is_empty()),
        prompt: begin.prompt.map(|p| clean(&p, 40)).filter(|p| !p.is_empty()),
        purpose: "login".to_owned(),
        extra: json!({}),
    };
    let inv = calls::invocation(app, t, &loaded, CallClass::Ordinary, json!({}));
    let progress = match app.runtime.identity().begin(inv, login).await {
        Ok(progress) => progress,
        Err(fault) => return Err(refuse(app, t, id, &fault).await),
    };
    if matches!(progress.step, LoginStep::Done(_)) {
        // Nothing has come from a browser yet, so nobody can have signed in.
        return Err(broken(app, t, id, "done_too_early").await);
    }
    pend(app, t, &loaded, progress, ticket, return_to).await
}

/// Keeps a half-finished sign-in.
async fn pend(
    app: &App,
    t: &TenantCtx,
    loaded: &Loaded,
    progress: LoginProgress,
    ticket: Ticket,
    return_to: &str,
) -> Result<Started, Problem> {
    let id = loaded.installation.id;
    if let Err(code) = acceptable(&progress, loaded) {
        return Err(broken(app, t, id, code).await);
    }
    let now = app.clock.now();
    let max_age = progress.expires.clamp(Duration::from_secs(30), MAX_WAIT);
    let row = PendingLogin {
        id: ticket.id,
        browser_hash: ticket.secret.hash(),
        installation_id: id,
        purpose: "login".to_owned(),
        return_to: return_to.to_owned(),
        state: state::seal(app, t.scope.id(), id, ticket.id, &progress.state),
        expires_at: now.plus(max_age),
        created_at: now,
    };
    let mut machine = app.store.tenant_machine(&t.scope).await?;
    machine.machinery().insert_login(&row).await?;
    machine.commit().await?;
    Ok(Started {
        cookie: ticket.cookie(),
        max_age,
        step: progress.step,
    })
}

/// Whether a step may be put before a browser. Encrypted transport everywhere, except to hosts an operator opened.
fn acceptable(progress: &LoginProgress, loaded: &Loaded) -> Result<(), &'static str> {
    if progress.state.len() > MAX_STATE {
        return Err("state_too_large");
    }
    match &progress.step {
        LoginStep::Redirect(url) | LoginStep::FormPost(url, _) => calls::browser_url(loaded, url).map(|_| ()),
        LoginStep::Prompt(fields) if fields.is_empty() || fields.len() > 20 => Err("bad_prompt"),
        LoginStep::Qr(payload, _) if payload.is_empty() || payload.len() > 4_000 => Err("bad_qr"),
        LoginStep::Embed(_, origins) if !origins.iter().all(|o| is_declared(loaded, o)) => Err("bad_origin"),
        LoginStep::Prompt(_) | LoginStep::Qr(..) | LoginStep::Embed(..) | LoginStep::Wait(..) | LoginStep::Done(_) => {
            Ok(())
        }
    }
}

/// Whether a widget may load from an origin: one that could be put before a browser at all, and that the plugin was
/// granted, as the contract wants it.
fn is_declared(loaded: &Loaded, origin: &str) -> bool {
    let bare = |url: &url::Url| url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    calls::browser_url(loaded, origin).is_ok_and(|url| bare(&url))
        && grants::normal_host(origin, 443).is_some_and(|host| loaded.grants.http_hosts.contains(&host))
}

/// Continues a sign-in with what came back. `cookie` is the sign-in cookie's value.
///
/// # Errors
/// `login_state_invalid`, `login_refused` (with `reason`), `plugin_failed`, or as the stores.
pub async fn callback(
    app: &App,
    t: &TenantCtx,
    id: InstallationId,
    cookie: Option<&str>,
    input: LoginInput,
) -> Result<Continued, Problem> {
    let ticket = cookie.and_then(Ticket::read).ok_or(LoginError::StateInvalid)?;
    let loaded = connection(app, t, id, ticket.id).await?;
    let taken = {
        let mut machine = app.store.tenant_machine(&t.scope).await?;
        let taken = machine
            .machinery()
            .take_login(ticket.id, &ticket.secret.hash(), id)
            .await?;
        machine.commit().await?;
        taken.ok_or(LoginError::StateInvalid)?
    };
    if taken.expires_at <= app.clock.now() {
        return Err(LoginError::StateInvalid.into());
    }
    let before = state::open(app, t.scope.id(), id, taken.id, &taken.state)?;
    let inv = calls::invocation(app, t, &loaded, CallClass::Ordinary, json!({}));
    let progress = match app.runtime.identity().resume(inv, before, input).await {
        Ok(progress) => progress,
        Err(fault) => return Err(refuse(app, t, id, &fault).await),
    };
    match progress.step {
        LoginStep::Done(session) => {
            let session = complete::complete(app, t, &loaded, &session).await?;
            Ok(Continued::Done {
                session: Box::new(session),
                return_to: taken.return_to,
            })
        }
        _ => pend(app, t, &loaded, progress, ticket, &taken.return_to)
            .await
            .map(Continued::Step),
    }
}

/// The plugin said no, or failed: on record, and as a problem.
async fn refuse(app: &App, t: &TenantCtx, id: InstallationId, fault: &crate::plugins::port::Fault) -> Problem {
    let problem = fault_problem(fault, Doing::SignIn);
    let outcome = if problem.kind == aistack_core::ProblemKind::LoginRefused {
        Outcome::Denied
    } else {
        Outcome::Failed
    };
    complete::record_refusal(app, t, id, &clean(&fault.code, 100), outcome, Value::Null).await;
    problem
}

async fn broken(app: &App, t: &TenantCtx, id: InstallationId, code: &'static str) -> Problem {
    let error = LoginError::BadAnswer(code);
    complete::record_refusal(app, t, id, code, error.outcome(), Value::Null).await;
    error.into()
}

/// A step as browsers and consoles read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum StepView {
    /// Go there.
    Redirect {
        /// Where.
        url: String,
    },
    /// Post this form.
    FormPost {
        /// Where.
        url: String,
        /// What.
        fields: Vec<(String, String)>,
    },
    /// Fill these fields in.
    Prompt {
        /// Fields.
        fields: Vec<PromptField>,
    },
    /// Show a QR code and poll.
    Qr {
        /// What it says.
        payload: String,
        /// Pause between polls.
        poll_ms: u64,
    },
    /// Show a widget.
    Embed {
        /// What it is.
        widget: Value,
        /// Origins it needs.
        origins: Vec<String>,
    },
    /// Show this and poll.
    Wait {
        /// What to show.
        show: Value,
        /// Pause between polls.
        poll_ms: u64,
    },
    /// Signed in.
    Done {
        /// Local path to go to.
        return_to: String,
    },
}

impl StepView {
    /// A step that is not the last.
    #[must_use]
    pub fn of(step: &LoginStep) -> Self {
        let ms = |d: &Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX).clamp(500, 60_000);
        match step {
            LoginStep::Redirect(url) => Self::Redirect { url: url.clone() },
            LoginStep::FormPost(url, fields) => Self::FormPost {
                url: url.clone(),
                fields: fields.clone(),
            },
            LoginStep::Prompt(fields) => Self::Prompt {
                fields: fields
                    .iter()
                    .map(|f| PromptField {
                        name: clean(&f.name, 100),
                        label: clean(&f.label, 200),
                        secret: f.secret,
                    })
                    .collect(),
            },
            LoginStep::Qr(payload, poll) => Self::Qr {
                payload: payload.clone(),
                poll_ms: ms(poll),
            },
            LoginStep::Embed(widget, origins) => Self::Embed {
                widget: widget.clone(),
                origins: origins.clone(),
            },
            LoginStep::Wait(show, poll) => Self::Wait {
                show: show.clone(),
                poll_ms: ms(poll),
            },
            LoginStep::Done(_) => Self::Done {
                return_to: HOME.to_owned(),
            },
        }
    }
}
