//! Reads the table of a mail settings file, key by key.
//!
//! Duty: every key checked, every finding with its line, none of them the last. Not its duty: what the values mean.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::delivery::address::{check_address, is_clean_name, is_host_name};
use crate::delivery::message::Recipient;
use crate::delivery::outbox::RetryPolicy;
use crate::domain::{Finding, Findings, Place};

use super::settings::{DkimSettings, MailMode, MailSettings, SmtpSettings, TlsMode};

const KEYS: [&str; 24] = [
    "mode",
    "folder",
    "from",
    "from_name",
    "reply_to",
    "host",
    "port",
    "tls",
    "ca_file",
    "username_env",
    "password_env",
    "password_file",
    "timeout_seconds",
    "hello_name",
    "retry_pauses_seconds",
    "max_refusals",
    "max_per_run",
    "max_per_minute",
    "approve",
    "bounces",
    "dkim_selector",
    "dkim_domain",
    "dkim_key_file",
    "dkim_key_env",
];

/// Kinds of message that there are or will be; an approval of any other would never be asked for.
const KINDS: [&str; 6] = ["alert", "digest", "operations", "scorecard", "settlement", "statement"];

/// Pauses of the default policy: a minute, then up to six hours; twelve refusals reach over two days.
pub(super) const DEFAULT_PAUSES: [u32; 6] = [60, 300, 1800, 7200, 14_400, 21_600];

/// The settings, or everything that is wrong with them.
pub(super) fn read(file: &str, text: &str, table: &DeTable<'_>) -> Result<MailSettings, Findings> {
    let mut reader = Reader {
        file,
        text,
        table,
        findings: Findings::new(),
    };
    match reader.settings() {
        Some(settings) if reader.findings.is_empty() => Ok(settings),
        _ => {
            reader.findings.sort();
            Err(reader.findings)
        }
    }
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    table: &'a DeTable<'a>,
    findings: Findings,
}

impl<'a> Reader<'a> {
    /// `None` only together with a finding.
    fn settings(&mut self) -> Option<MailSettings> {
        self.unknown_keys();
        let mode = self.mode();
        let from = self.mailbox("from", "from_name");
        if from.is_none() && self.table.get("from").is_none() {
            self.problem(
                "from",
                "mail-from",
                "'from' is missing",
                "give the address that messages come from",
            );
        }
        let retry = RetryPolicy {
            pauses_seconds: self.pauses(),
            max_refusals: self.number("max_refusals", 1, 1000).unwrap_or(12),
        };
        let max_per_run = self.number("max_per_run", 1, 1_000_000).unwrap_or(10_000);
        let reply_to = self.mailbox("reply_to", "");
        let max_per_minute = self.number("max_per_minute", 1, 100_000);
        let approve = self.approve();
        let bounces = self.string("bounces").map(str::to_owned);
        let dkim = self.dkim(from.as_ref());
        Some(MailSettings {
            mode: mode?,
            from: from?,
            reply_to,
            retry,
            max_per_run: usize::try_from(max_per_run).ok()?,
            max_per_minute,
            approve,
            bounces,
            dkim,
        })
    }

    /// Kinds to approve, each once, in order.
    fn approve(&mut self) -> Vec<String> {
        let key = "approve";
        let Some(value) = self.table.get(key) else {
            return Vec::new();
        };
        let items = value.get_ref().as_array().map(|items| {
            let kind =
                |item: &Spanned<DeValue<'_>>| item.get_ref().as_str().filter(|k| KINDS.contains(k)).map(str::to_owned);
            items.iter().map(kind).collect::<Option<Vec<String>>>()
        });
        let Some(Some(mut kinds)) = items else {
            self.problem(
                key,
                "mail-approve",
                "'approve' is no list of kinds of message",
                &format!("list some of {}, such as [\"statement\"]", KINDS.join(", ")),
            );
            return Vec::new();
        };
        kinds.sort();
        kinds.dedup();
        kinds
    }

    fn dkim(&mut self, from: Option<&Recipient>) -> Option<DkimSettings> {
        let (key_file, key_env) = (self.string("dkim_key_file"), self.variable("dkim_key_env"));
        let (selector, domain) = (self.string("dkim_selector"), self.host("dkim_domain"));
        let key = ["dkim_selector", "dkim_key_file", "dkim_key_env", "dkim_domain"]
            .into_iter()
            .find(|key| self.table.contains_key(*key))?;
        let Some(selector) = selector.filter(|s| is_host_name(&format!("{s}.example"))) else {
            let remedy = "name the selector under which the key is published: <selector>._domainkey.<domain>";
            self.problem(
                key,
                "mail-dkim",
                "a signature needs 'dkim_selector', a name as in DNS",
                remedy,
            );
            return None;
        };
        if key_file.is_some() == key_env.is_some() {
            let remedy = "name exactly one of 'dkim_key_file' and 'dkim_key_env'";
            self.problem(key, "mail-dkim", "a signature needs one source of its key", remedy);
            return None;
        }
        let sender = from?
            .address
            .rsplit('@')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let domain = domain.map_or_else(|| sender.clone(), |d| d.to_ascii_lowercase());
        // a signature by another domain than the sender's is worth nothing to a receiver
        if sender != domain && !sender.ends_with(&format!(".{domain}")) {
            let remedy = "name the domain of 'from', or one above it";
            self.problem(
                "dkim_domain",
                "mail-dkim",
                "'dkim_domain' is not the domain of the sender",
                remedy,
            );
            return None;
        }
        Some(DkimSettings {
            domain,
            selector: selector.to_owned(),
            key_file: key_file.map(str::to_owned),
            key_env: key_env.map(str::to_owned),
        })
    }

    fn mode(&mut self) -> Option<MailMode> {
        match self.string("mode")? {
            "folder" => Some(MailMode::Folder(
                self.string("folder").unwrap_or("warehouse/outbox/mail").to_owned(),
            )),
            "smtp" => self.smtp().map(MailMode::Smtp),
            other => {
                let message = format!("mode '{}' is not known", other.escape_debug());
                self.problem("mode", "mail-mode", &message, "write \"folder\" or \"smtp\"");
                None
            }
        }
    }

    fn smtp(&mut self) -> Option<SmtpSettings> {
        let tls = match self.string("tls").unwrap_or("required") {
            "required" => TlsMode::Required,
            "opportunistic" => TlsMode::Opportunistic,
            "implicit" => TlsMode::Implicit,
            "none" => TlsMode::None,
            other => {
                let message = format!("tls '{}' is not known", other.escape_debug());
                self.problem(
                    "tls",
                    "mail-tls",
                    &message,
                    "write \"required\", \"implicit\", \"opportunistic\" or \"none\"",
                );
                TlsMode::Required
            }
        };
        let host = self.host("host");
        if host.is_none() && self.table.get("host").is_none() {
            self.problem("host", "mail-host", "'host' is missing", "name the mail server");
        }
        let port = self
            .number("port", 1, 65_535)
            .unwrap_or(if tls == TlsMode::Implicit { 465 } else { 587 });
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let settings = SmtpSettings {
            port: u16::try_from(port).ok()?,
            tls,
            ca_file: owned(self.string("ca_file")),
            username_env: owned(self.variable("username_env")),
            password_env: owned(self.variable("password_env")),
            password_file: owned(self.string("password_file")),
            timeout_seconds: self.number("timeout_seconds", 1, 600).unwrap_or(30),
            hello_name: self.host("hello_name"),
            host: host.unwrap_or_default(),
        };
        self.authentication(&settings);
        Some(settings)
    }

    fn authentication(&mut self, smtp: &SmtpSettings) {
        let passwords = usize::from(smtp.password_env.is_some()) + usize::from(smtp.password_file.is_some());
        let key = if smtp.password_env.is_some() {
            "password_env"
        } else {
            "password_file"
        };
        match (&smtp.username_env, passwords) {
            (None, 0) | (Some(_), 1) => {}
            (None, _) => self.problem(
                key,
                "mail-auth",
                "a password without 'username_env'",
                "name the variable of the user name",
            ),
            (Some(_), _) => {
                let remedy = "name exactly one of 'password_env' and 'password_file'";
                self.problem(
                    "username_env",
                    "mail-auth",
                    "authentication needs one source of the password",
                    remedy,
                );
            }
        }
        if smtp.username_env.is_some() && smtp.tls == TlsMode::None {
            let remedy = "set tls to \"required\" or \"implicit\", or remove the user name";
            self.problem(
                "tls",
                "mail-auth",
                "with tls = \"none\" the password would go out in clear",
                remedy,
            );
        }
    }

    fn mailbox(&mut self, key: &str, name_key: &str) -> Option<Recipient> {
        let name = if name_key.is_empty() {
            None
        } else {
            self.string(name_key)
        };
        if name.is_some_and(|n| !is_clean_name(n)) {
            self.problem(
                name_key,
                "mail-name",
                &format!("'{name_key}' holds a control or invisible character"),
                "remove it",
            );
        }
        let address = self.string(key)?;
        if let Err(why) = check_address(address) {
            self.problem(
                key,
                "mail-address",
                &format!("the address in '{key}' {why}"),
                "write it as name@domain.example",
            );
            return None;
        }
        Some(Recipient::new(name, address))
    }

    fn host(&mut self, key: &str) -> Option<String> {
        let host = self.string(key)?;
        let number = host.parse::<std::net::IpAddr>().is_ok() && key == "host";
        if !(host == "localhost" || number || is_host_name(host)) {
            self.problem(
                key,
                "mail-host",
                &format!("'{key}' is no host name"),
                "write it as mail.domain.example",
            );
            return None;
        }
        Some(host.to_owned())
    }

    /// Name of an environment variable; a value that looks like a secret itself is refused without being shown.
    fn variable(&mut self, key: &str) -> Option<&'a str> {
        let name = self.string(key)?;
        let valid = name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
        if !valid {
            let remedy = "write the name of an environment variable in capitals, never the secret itself";
            self.problem(
                key,
                "mail-secret",
                &format!("'{key}' is no name of an environment variable"),
                remedy,
            );
        }
        valid.then_some(name)
    }

    fn pauses(&mut self) -> Vec<u32> {
        let key = "retry_pauses_seconds";
        let Some(value) = self.table.get(key) else {
            return DEFAULT_PAUSES.to_vec();
        };
        let items = value.get_ref().as_array().into_iter().flatten();
        let pauses: Option<Vec<u32>> = items.map(|item| whole(item.get_ref())).collect();
        let pauses = pauses.filter(|p| !p.is_empty() && p.is_sorted() && p.iter().all(|s| (1..=604_800).contains(s)));
        pauses.unwrap_or_else(|| {
            let remedy = "write whole seconds from 1 to 604800, such as [60, 300, 1800]; the last one repeats";
            self.problem(
                key,
                "mail-retry",
                &format!("'{key}' is no list of growing pauses"),
                remedy,
            );
            DEFAULT_PAUSES.to_vec()
        })
    }

    fn number(&mut self, key: &str, least: u32, most: u32) -> Option<u32> {
        let value = self.table.get(key)?;
        let number = whole(value.get_ref()).filter(|n| (least..=most).contains(n));
        if number.is_none() {
            self.problem(
                key,
                "settings-number",
                &format!("'{key}' is no whole number from {least} to {most}"),
                "correct it",
            );
        }
        number
    }

    /// A text that is not empty; anything else is a finding.
    fn string(&mut self, key: &str) -> Option<&'a str> {
        let Some(value) = self.table.get(key) else {
            if key == "mode" {
                self.problem(
                    key,
                    "mail-mode",
                    "'mode' is missing",
                    "write mode = \"folder\" or mode = \"smtp\"",
                );
            }
            return None;
        };
        let text = value.get_ref().as_str().filter(|t| !t.trim().is_empty());
        if text.is_none() {
            self.problem(
                key,
                "settings-text",
                &format!("'{key}' is no text"),
                "write it in quotation marks",
            );
        }
        text
    }

    fn unknown_keys(&mut self) {
        let unknown: Vec<(&str, usize)> = self
            .table
            .iter()
            // the look of messages is read by the room that renders them
            .filter(|(key, _)| key.get_ref() != "brand" && !KEYS.contains(&key.get_ref().as_ref()))
            .map(|(key, _)| (key.get_ref().as_ref(), key.span().start))
            .collect();
        for (key, at) in unknown {
            let message = format!("the key '{}' is not known", key.escape_debug());
            let place = Place::line(self.file, line_of(self.text, at));
            self.findings.push(Finding::error(
                place,
                "settings-key",
                message,
                format!("use one of {}", KEYS.join(", ")),
            ));
        }
    }

    fn problem(&mut self, key: &str, rule: &str, message: &str, remedy: &str) {
        let line = self
            .table
            .get(key)
            .map(|value: &Spanned<DeValue<'_>>| line_of(self.text, value.span().start));
        let place = Place {
            file: self.file.to_owned(),
            line,
            column: None,
        };
        self.findings.push(Finding::error(place, rule, message, remedy));
    }
}

fn whole(value: &DeValue<'_>) -> Option<u32> {
    value
        .as_integer()
        .and_then(|i| u32::from_str_radix(i.as_str(), i.radix()).ok())
}

/// Line of a byte offset, from 1.
pub(super) fn line_of(text: &str, at: usize) -> u64 {
    let before = text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count();
    u64::try_from(before).unwrap_or(u64::MAX - 1) + 1
}
