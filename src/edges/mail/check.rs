//! Whether mail could leave now.
//!
//! Duty: try a route step by step without sending: folder or server, encryption, authentication, limits, the sender, and
//! if asked a recipient; each with what was said and what to do. Not its duty: sending.

use std::net::ToSocketAddrs;
use std::path::Path;

use super::{MailMode, MailSettings, RouteError, Signer, SmtpRoute};

/// One step of the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    pub step: &'static str,
    pub is_good: bool,
    /// What was found; of a server what it said, without addresses.
    pub found: String,
    /// What to do, where something is wrong.
    pub remedy: Option<String>,
}

impl Checked {
    pub(super) fn good(step: &'static str, found: impl Into<String>) -> Checked {
        Checked {
            step,
            is_good: true,
            found: found.into(),
            remedy: None,
        }
    }

    pub(super) fn wrong(step: &'static str, found: impl Into<String>, remedy: impl Into<String>) -> Checked {
        Checked {
            step,
            is_good: false,
            found: found.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// Tries the route of the settings; ends with the first step that fails. `to` is an address to ask the server about.
pub fn check(
    settings: &MailSettings,
    workspace: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
    to: Option<&str>,
) -> Vec<Checked> {
    let mut steps = Vec::new();
    if let Some(dkim) = &settings.dkim {
        steps.push(match Signer::open(dkim, workspace, environment) {
            Ok(_) => Checked::good(
                "signature",
                format!(
                    "signs for {}; its key is asked for at {}._domainkey.{}",
                    dkim.domain, dkim.selector, dkim.domain
                ),
            ),
            Err(e) => Checked::wrong(
                "signature",
                e.to_string(),
                "correct dkim_key_file or dkim_key_env in pipelines/mail.toml",
            ),
        });
    }
    match &settings.mode {
        MailMode::Folder(folder) => steps.push(writable(&workspace.join(folder))),
        MailMode::Smtp(smtp) => {
            match (smtp.host.as_str(), smtp.port).to_socket_addrs() {
                Ok(found) => steps.push(Checked::good(
                    "name",
                    format!("{} has {} addresses", smtp.host, found.count()),
                )),
                Err(e) => {
                    let remedy = "correct 'host' in pipelines/mail.toml, or the name service of this machine";
                    steps.push(Checked::wrong(
                        "name",
                        format!("{} cannot be found: {e}", smtp.host),
                        remedy,
                    ));
                    return steps;
                }
            }
            match SmtpRoute::open(smtp, workspace, environment) {
                Ok(route) => steps.extend(route.check(&settings.from.address, to)),
                Err(e) => steps.push(Checked::wrong(
                    "secrets",
                    told(&e),
                    "correct what pipelines/mail.toml names",
                )),
            }
        }
    }
    steps
}

fn told(error: &RouteError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// A folder that is there takes a file that is removed again; one that is not is made when the first message comes.
fn writable(folder: &Path) -> Checked {
    let place = folder.display();
    if !folder.exists() {
        return Checked::good("folder", format!("{place} is made with the first message"));
    }
    let probe = folder.join(".check-mail");
    match std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => Checked::good("folder", format!("{place} can be written")),
        Err(e) => Checked::wrong(
            "folder",
            format!("{place}: {e}"),
            "free space or correct its permissions",
        ),
    }
}
