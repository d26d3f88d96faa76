//! Mail settings: `pipelines/mail.toml` as typed values.
//!
//! Duty: everything wrong with the file at once, each with its line; defaults that are safe. Not its duty: secrets
//! (the file names where they are, never what they are) and connecting.

use toml::de::DeTable;

use crate::delivery::message::Recipient;
use crate::delivery::outbox::RetryPolicy;
use crate::domain::{Finding, Findings, Place};

use super::settings_reader::{self, line_of};

/// How messages leave, and what is tried how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailSettings {
    pub mode: MailMode,
    pub from: Recipient,
    pub reply_to: Option<Recipient>,
    pub retry: RetryPolicy,
    /// Messages handed over in one run, at most.
    pub max_per_run: usize,
    /// Messages handed over in one minute, at most.
    pub max_per_minute: Option<u32>,
    /// Kinds of message that go only after a person has approved them.
    pub approve: Vec<String>,
    /// Folder with returned mail, relative to the workspace: `.eml` files or a maildir.
    pub bounces: Option<String>,
    pub dkim: Option<DkimSettings>,
}

/// Where the key is that messages are signed with, and where the world finds its other half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DkimSettings {
    pub domain: String,
    pub selector: String,
    /// PEM, relative to the workspace.
    pub key_file: Option<String>,
    pub key_env: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailMode {
    /// `.eml` files in a folder, relative to the workspace.
    Folder(String),
    Smtp(SmtpSettings),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmtpSettings {
    pub host: String,
    pub port: u16,
    pub tls: TlsMode,
    /// Authority to trust instead of the bundled ones; relative to the workspace.
    pub ca_file: Option<String>,
    pub username_env: Option<String>,
    pub password_env: Option<String>,
    pub password_file: Option<String>,
    /// For connecting and for every read and write.
    pub timeout_seconds: u32,
    /// What the program calls itself; the host's own name by default.
    pub hello_name: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsMode {
    /// STARTTLS, or nothing is sent.
    Required,
    /// STARTTLS where it is offered; its certificate must be right even then.
    Opportunistic,
    /// TLS from the first byte.
    Implicit,
    /// In clear.
    None,
}

impl MailSettings {
    /// Reads the text of a settings file; `file` names it in findings.
    pub fn read(file: &str, text: &str) -> Result<MailSettings, Findings> {
        let table = DeTable::parse(text).map_err(|error| {
            let place = Place {
                line: error.span().map(|s| line_of(text, s.start)),
                ..Place::file(file)
            };
            vec![Finding::error(
                place,
                "settings-toml",
                error.message(),
                "write the file as TOML",
            )]
        })?;
        settings_reader::read(file, text, table.get_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings_reader::DEFAULT_PAUSES;
    use super::*;

    const SMTP: &str = "mode = \"smtp\"\nfrom = \"scorecards@programme.example\"\nhost = \"mail.programme.example\"\n";

    fn findings(text: &str) -> Vec<String> {
        let found = MailSettings::read("mail.toml", text).expect_err("must be refused");
        found.iter().map(|f| format!("{} {}", f.place, f.rule)).collect()
    }

    #[test]
    fn the_defaults_are_safe() {
        let settings = MailSettings::read("mail.toml", SMTP).unwrap();
        let MailMode::Smtp(smtp) = settings.mode else {
            panic!("smtp")
        };
        assert_eq!(
            (smtp.tls, smtp.port, smtp.timeout_seconds),
            (TlsMode::Required, 587, 30)
        );
        assert_eq!(settings.retry.pauses_seconds, DEFAULT_PAUSES);
        let implicit = MailSettings::read("mail.toml", &format!("{SMTP}tls = \"implicit\"\n")).unwrap();
        assert!(matches!(implicit.mode, MailMode::Smtp(SmtpSettings { port: 465, .. })));
        let folder = MailSettings::read(
            "mail.toml",
            "mode = \"folder\"\nfrom = \"a@b.example\"\nfrom_name = \"A\"",
        )
        .unwrap();
        assert_eq!(folder.mode, MailMode::Folder("warehouse/outbox/mail".to_owned()));
        assert_eq!(folder.from, Recipient::new(Some("A"), "a@b.example"));
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_its_line() {
        let text = "mode = \"smtp\"\n\nfrom = \"nobody\"\nhots = \"x\"\nport = 70000\ntls = \"maybe\"\n\
                    timeout_seconds = \"30\"\nretry_pauses_seconds = [300, 60]\nmax_per_run = 0\n";
        assert_eq!(
            findings(text),
            [
                "mail.toml mail-host",
                "mail.toml:3 mail-address",
                "mail.toml:4 settings-key",
                "mail.toml:5 settings-number",
                "mail.toml:6 mail-tls",
                "mail.toml:7 settings-number",
                "mail.toml:8 mail-retry",
                "mail.toml:9 settings-number",
            ]
        );
        assert_eq!(findings(""), ["mail.toml mail-from", "mail.toml mail-mode"]);
        assert_eq!(
            findings("mode = \"fax\"\nfrom = \"a@b.example\""),
            ["mail.toml:1 mail-mode"]
        );
        assert_eq!(
            findings("mode = \"smtp\"\nmode = \"smtp\""),
            ["mail.toml:2 settings-toml"]
        );
    }

    #[test]
    fn approval_pace_bounces_and_signature() {
        let text = format!(
            "{SMTP}approve = [\"statement\", \"scorecard\"]\nmax_per_minute = 30\nbounces = \"bounces\"\n\
             dkim_selector = \"s2026\"\ndkim_key_file = \"dkim.pem\"\n"
        );
        let settings = MailSettings::read("mail.toml", &text).unwrap();
        assert_eq!(settings.approve, ["scorecard", "statement"]);
        assert_eq!(
            (settings.max_per_minute, settings.bounces),
            (Some(30), Some("bounces".to_owned()))
        );
        let dkim = settings.dkim.unwrap();
        assert_eq!(
            (dkim.domain.as_str(), dkim.selector.as_str()),
            ("programme.example", "s2026")
        );
        for (line, finding) in [
            ("approve = [\"fax\"]", "mail.toml:4 mail-approve"),
            ("approve = \"statement\"", "mail.toml:4 mail-approve"),
            ("dkim_selector = \"s\"", "mail.toml:4 mail-dkim"),
            ("dkim_key_env = \"KEY\"", "mail.toml:4 mail-dkim"),
            (
                "dkim_selector = \"a b\"\ndkim_key_env = \"KEY\"",
                "mail.toml:4 mail-dkim",
            ),
            (
                "dkim_selector = \"s\"\ndkim_domain = \"else.example\"\ndkim_key_env = \"KEY\"",
                "mail.toml:5 mail-dkim",
            ),
            (
                "dkim_selector = \"s\"\ndkim_key_file = \"k\"\ndkim_key_env = \"KEY\"",
                "mail.toml:4 mail-dkim",
            ),
            ("max_per_minute = 0", "mail.toml:4 settings-number"),
        ] {
            assert_eq!(findings(&format!("{SMTP}{line}\n")), [finding], "{line}");
        }
        // a domain above that of the sender signs for it
        let above = SMTP.replace("@programme", "@mail.programme");
        let text = format!("{above}dkim_selector = \"s\"\ndkim_domain = \"programme.example\"\ndkim_key_env = \"K\"\n");
        assert!(MailSettings::read("mail.toml", &text).is_ok());
    }

    #[test]
    fn secrets_are_named_never_held_or_shown() {
        let text = format!("{SMTP}username_env = \"MAIL_USER\"\npassword_env = \"hunter2!\"\n");
        let found = MailSettings::read("mail.toml", &text).unwrap_err();
        assert!(found.iter().any(|f| f.rule == "mail-secret") && !format!("{found:?}").contains("hunter2"));
        assert_eq!(
            findings(&format!("{SMTP}username_env = \"U\"\n")),
            ["mail.toml:4 mail-auth"]
        );
        assert_eq!(
            findings(&format!("{SMTP}password_file = \"p\"\n")),
            ["mail.toml:4 mail-auth"]
        );
        let clear = format!("{SMTP}username_env = \"U\"\npassword_env = \"P\"\ntls = \"none\"\n");
        assert_eq!(findings(&clear), ["mail.toml:6 mail-auth"]);
    }

    #[test]
    fn the_settings_of_the_sample_are_in_order() {
        let text = include_str!("../../../pipelines/mail.toml");
        let settings = MailSettings::read("pipelines/mail.toml", text).unwrap();
        assert!(matches!(settings.mode, MailMode::Folder(_)));
    }
}
