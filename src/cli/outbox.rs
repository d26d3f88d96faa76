//! `outbox`: messages with what became of them; approve, hold, send, send once more; suppressed addresses.
//!
//! Duty: arguments and printing. Must not: know what a state means, or show an address but in `show`.

mod print;

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::person::PersonArgs;
use super::progress::Bar;
use super::query::current;
use super::{CommandResult, Session};
use crate::domain::{Digest, Table, Zone};
use crate::edges::clock::{Clock as _, SystemClock};
use crate::edges::files;
use crate::pipeline::acts::Delivered;
use crate::pipeline::acts::mails::{self, Say};
use crate::pipeline::config::Config;
use crate::pipeline::deliver::{self, Choice};
use crate::pipeline::outbox::{self, Entry, Filter, Outbox, State, bounces};
use crate::pipeline::{PipelineError, config};
use crate::store::StoreError;
use crate::store::landing;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// List messages in the order of sending.
    List {
        #[command(flatten)]
        which: Which,
    },
    /// Show a message: headers, recipients, every attempt, decisions, what came back, and where its bytes are.
    Show {
        key: String,
        /// Write the message as it goes out into this file.
        #[arg(long, value_name = "FILE")]
        eml: Option<PathBuf>,
    },
    /// Approve messages of a kind that needs it, or let go what a person held.
    Approve {
        #[command(flatten)]
        chosen: Chosen,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Hold messages that have not left; of a failed one, take it off the list of what is wrong.
    Hold {
        #[command(flatten)]
        chosen: Chosen,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// Send what is due now, without running a job.
    Send {
        /// Messages of this partner only.
        #[arg(long)]
        partner: Option<String>,
        /// Also what waits for another attempt: what was wrong has been put right.
        #[arg(long)]
        now: bool,
    },
    /// Have a message that was sent or has failed go once more, the same bytes under the same Message-ID.
    Resend {
        key: String,
        /// To this address instead of its first recipients: one of the partner's contacts.
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
        #[command(flatten)]
        person: PersonArgs,
    },
    /// List addresses to which mail came back, by hash, and whether they get any.
    Suppressions,
    /// Let an address get mail again.
    Lift {
        /// The address, or at least 12 digits of its hash.
        address: String,
        #[command(flatten)]
        person: PersonArgs,
    },
}

/// Messages by what they are.
#[derive(Debug, clap::Args)]
struct Which {
    /// held, no_recipient, awaiting_approval, queued, sending, retry, unknown, sent or failed.
    #[arg(long)]
    state: Option<String>,
    #[arg(long)]
    partner: Option<String>,
    /// Evaluation period, such as 2026-Q3.
    #[arg(long)]
    period: Option<String>,
    /// Kind of message, such as scorecard.
    #[arg(long)]
    kind: Option<String>,
}

/// Messages by their keys, or all that fit.
#[derive(Debug, clap::Args)]
struct Chosen {
    /// Keys of messages, beginnings of keys, or their numbers.
    keys: Vec<String>,
    #[command(flatten)]
    which: Which,
}

impl Which {
    fn filter(&self) -> Result<Filter, PipelineError> {
        let state = self.state.as_deref().map(|text| {
            State::parse(text).ok_or_else(|| {
                let names: Vec<&str> = State::ALL.into_iter().map(State::as_str).collect();
                PipelineError::Usage(format!("'{text}' is no state; there are {}", names.join(", ")))
            })
        });
        Ok(Filter {
            state: state.transpose()?,
            partner: self.partner.clone(),
            period: self.period.clone(),
            kind: self.kind.clone(),
        })
    }

    fn is_empty(&self) -> bool {
        self.state.is_none() && self.partner.is_none() && self.period.is_none() && self.kind.is_none()
    }
}

pub(super) fn outbox(session: &Session, args: &Args) -> CommandResult {
    let (config, _) = config::load(session.layout.workspace()).map_err(PipelineError::Config)?;
    if let What::Send { partner, now } = &args.what {
        return send(session, &config, partner.as_deref(), *now);
    }
    let release = current(session)?;
    let found = Outbox::open(&session.layout, &config.mail, &release)?;
    match &args.what {
        What::List { which } => {
            print::list(session, &found, &which.filter()?);
            Ok(())
        }
        What::Show { key, eml } => {
            let entry = found.entry(key)?;
            if let Some(file) = eml {
                let bytes = outbox::message_bytes(&session.layout, entry)
                    .map_err(|why| PipelineError::Mail(format!("{key}: {why}")))?;
                files::write_private_new(file, &bytes).map_err(StoreError::from)?;
            }
            print::show(session, entry, eml.as_deref())
        }
        What::Approve { chosen, person } => say(session, &config, &found, Say::Approve, chosen, person),
        What::Hold { chosen, person } => say(session, &config, &found, Say::Hold, chosen, person),
        What::Resend { key, to, person } => {
            let entry = found.entry(key)?;
            let to = to
                .as_deref()
                .map(|address| {
                    outbox::contact_hash(&release, &entry.partner, address, Zone::UTC.date_of(SystemClock.now()))
                })
                .transpose()?;
            let done = mails::resend(&session.layout, &config, entry, to, &person.person()?)?;
            print_decided(session, &[done], &[key.as_str()], "goes once more");
            Ok(())
        }
        What::Suppressions => suppressions(session, &found),
        What::Lift { address, person } => {
            let hash = known_address(session, &found, address)?;
            let done = mails::lift(&session.layout, &config, &found.acts, hash, &person.person()?)?;
            print_decided(session, &[done], &[&hash.short()], "may get mail again");
            Ok(())
        }
        What::Send { .. } => Ok(()),
    }
}

fn say(
    session: &Session,
    config: &Config,
    found: &Outbox,
    say: Say,
    chosen: &Chosen,
    person: &PersonArgs,
) -> CommandResult {
    let entries: Vec<&Entry> = if chosen.keys.is_empty() {
        if chosen.which.is_empty() {
            return Err(PipelineError::Usage(
                "name keys of messages, or --partner, --period, --kind or --state".to_owned(),
            ));
        }
        let filter = chosen.which.filter()?;
        // of those that fit, the ones of which it can be said
        let fits = |e: &&Entry| filter.takes(e) && mails::may_say(say, e).is_ok();
        found.entries.iter().filter(fits).collect()
    } else if chosen.which.is_empty() {
        chosen
            .keys
            .iter()
            .map(|key| found.entry(key))
            .collect::<Result<_, _>>()?
    } else {
        return Err(PipelineError::Usage("name keys or what fits, not both".to_owned()));
    };
    let done = mails::say(&session.layout, config, say, &entries, &person.person()?)?;
    let keys: Vec<&str> = entries.iter().map(|e| e.key.as_str()).collect();
    let word = match say {
        Say::Approve => "approved",
        Say::Hold => "held",
    };
    print_decided(session, &done, &keys, word);
    Ok(())
}

/// What was written, and what comes next.
fn print_decided(session: &Session, done: &[Delivered], subjects: &[&str], word: &str) {
    let output = session.output;
    if output.json {
        let one = |(d, subject): (&Delivered, &&str)| {
            json!({
                "subject": subject, "decision_id": d.decision_id, "file": d.file,
                "decided_at": d.decided_at.to_string(),
            })
        };
        output.value(&Json::Array(done.iter().zip(subjects).map(one).collect()));
        return;
    }
    for (one, subject) in done.iter().zip(subjects) {
        output.line(&format!("{word:<10} {subject} ({})", one.decision_id));
    }
    if let Some(first) = done.first() {
        output.line(&format!("wrote      {}", first.file));
    }
    output.line("it counts from now on; `starledger outbox send` sends what is due, and so does the next run");
}

fn send(session: &Session, config: &Config, partner: Option<&str>, now: bool) -> CommandResult {
    let bar = Bar::new();
    let choice = Choice { partner, at_once: now };
    let sent = deliver::send_now(&session.layout, &config.mail, choice, &SystemClock, &bar);
    bar.clear();
    let sent = sent?;
    if session.output.json {
        session.output.value(&sent.json());
    } else {
        session.output.line(&format!("mail       {}", sent.describe()));
    }
    if sent.needs_attention() {
        return Err(PipelineError::Mail(sent.describe()));
    }
    Ok(())
}

fn addresses(session: &Session, found: &Outbox) -> Result<Vec<bounces::Suppression>, PipelineError> {
    let records = landing::bounces(&session.layout)?;
    let contacts = current(session)?.read_table("contacts")?;
    bounces::suppressions(found, &records, &contacts)
}

fn suppressions(session: &Session, found: &Outbox) -> CommandResult {
    let all = addresses(session, found)?;
    if session.output.json {
        let one = |s: &bounces::Suppression| {
            json!({
                "address_sha256": s.address.to_string(), "suppressed": s.suppressed, "freed": s.freed,
                "permanent": s.permanent, "temporary": s.temporary, "status": s.status,
                "message_key": s.message_key, "taken_at": s.taken_at, "partners": s.partners,
            })
        };
        session.output.value(&Json::Array(all.iter().map(one).collect()));
        return Ok(());
    }
    if all.is_empty() {
        session.output.line("nothing came back");
        return Ok(());
    }
    let columns = [
        "address",
        "partner",
        "state",
        "status",
        "for_good",
        "for_now",
        "last_message",
    ];
    let mut table = Table::new("suppressions", &columns);
    for s in all {
        let partners: Vec<&str> = s.partners.iter().map(String::as_str).collect();
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        table.push(vec![
            s.address.short().into(),
            partners.join(" ").into(),
            if s.suppressed { "suppressed" } else { "free" }.into(),
            s.status.into(),
            count(s.permanent).into(),
            count(s.temporary).into(),
            s.message_key.into(),
        ]);
    }
    session.output.table(&table);
    session.output.line(
        "\naddresses are shown by hash; `starledger outbox lift` lets one get mail again, and so does a contact that is \
         delivered anew",
    );
    Ok(())
}

/// The suppressed address that was typed, in full or by its hash.
fn known_address(session: &Session, found: &Outbox, typed: &str) -> Result<Digest, PipelineError> {
    let typed = typed.trim();
    let whole = bounces::address_hash(typed);
    let fits = |s: &&bounces::Suppression| {
        let by_hash = typed.len() >= 12 && s.address.to_string().starts_with(typed);
        s.suppressed && (by_hash || Some(s.address) == whole)
    };
    let all = addresses(session, found)?;
    let mut fitting = all.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => Ok(one.address),
        (None, _) => Err(PipelineError::Usage(
            "no such address is suppressed; `starledger outbox suppressions` lists them".to_owned(),
        )),
        _ => Err(PipelineError::Usage(
            "several addresses fit: give more digits".to_owned(),
        )),
    }
}
