//! The mail edge: how a message leaves the program.
//!
//! Duty: one trait, with a folder, an SMTP server and a fake behind it, all telling the same outcomes; settings and
//! secrets. Not its duty: what is sent, in which order, how often and what an outcome means (`delivery`). Of that room
//! it knows the plain values in `delivery::message` only.

mod check;
mod dkim;
pub mod fake;
pub mod folder;
mod paced;
pub mod readers;
pub mod settings;
mod settings_reader;
pub mod smtp;

use std::path::Path;

use crate::delivery::message::{Outcome, Parcel};

pub use check::{Checked, check};
pub use dkim::{KeyError, Signer};
pub use folder::FolderRoute;
pub use paced::Paced;
pub use readers::Reader;
pub use settings::{DkimSettings, MailMode, MailSettings, SmtpSettings, TlsMode};
pub use smtp::{RouteError, SmtpRoute};

/// A way out. Handing over the same parcel twice is never an error: the receiver sees the same bytes and Message-ID.
pub trait MailRoute {
    /// Hands one message over for the recipients of its envelope and says what became of it. Never panics, never
    /// blocks for longer than the time-out of the route for each step.
    fn deliver(&self, parcel: &Parcel<'_>) -> Outcome;
}

/// The route that the settings name. `workspace` is what relative paths start from; `environment` reads a variable.
pub fn open(
    settings: &MailSettings,
    workspace: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Box<dyn MailRoute>, RouteError> {
    let mut route: Box<dyn MailRoute> = match &settings.mode {
        MailMode::Folder(folder) => Box::new(FolderRoute::new(workspace.join(folder))),
        MailMode::Smtp(smtp) => Box::new(SmtpRoute::open(smtp, workspace, environment)?),
    };
    if let Some(dkim) = &settings.dkim {
        let signer = Signer::open(dkim, workspace, environment)?;
        route = Box::new(dkim::Signed { signer, route });
    }
    // a folder is no server that could be asked too much
    if let (Some(most), MailMode::Smtp(_)) = (settings.max_per_minute, &settings.mode) {
        route = Box::new(Paced::new(route, most));
    }
    Ok(route)
}
