//! Composes the messages of a large programme: scorecards with charts, statements with PDF and workbook.
//!
//! `cargo bench --bench messages -- WORKSPACE [MESSAGES]`. Takes the tables of a workspace that has a release with
//! settlement documents (the sample, after a close), copies their partners until there are MESSAGES (10,000) cards and as
//! many documents, each with names, ids and amounts of its own, and does with them on all cores what a run does: frame,
//! rendering with pictures, search for others, composing; statements with PDF and workbook. Prints milliseconds of
//! processor time of each stage for a message, and the peak of memory.

#![expect(clippy::print_stdout, reason = "figures for a person")]

#[path = "../it/support/copies.rs"]
mod copies;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant as Clock;
use std::{env, fs, thread};

use starledger::delivery::message::Recipient;
use starledger::delivery::{Directory, Enclosure, Inline, Outgoing, compose, message_key, visible_text};
use starledger::domain::ids::{PartnerId, RegionId};
use starledger::domain::{Instant, Period, Table};
use starledger::exports::workbook::{self, Sheet};
use starledger::pipeline::config::{self, Config};
use starledger::publishing::inputs::{CardTerms, Programme};
use starledger::publishing::{
    Look, PartnerFrame, PublishingInputs, PublishingTables, SchemeTerms, StatementFrame, StatementInputs, render,
    render_statement,
};
use starledger::store::layout::Layout;
use starledger::store::release::Release;

/// As many as a run has in memory at once.
const BATCH: usize = 256;
const LANGUAGES: [&str; 6] = ["en", "de", "es", "fr", "pt", "zh"];
/// Nanoseconds of a stage over all threads.
#[derive(Default)]
struct Stage(AtomicU64);

impl Stage {
    fn time<T>(&self, work: impl FnOnce() -> T) -> T {
        let start = Clock::now();
        let done = work();
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).expect("a time");
        self.0.fetch_add(nanoseconds, Ordering::Relaxed);
        done
    }

    fn print(&self, name: &str, count: usize) {
        let micros = self.0.load(Ordering::Relaxed) / 1000 / u64::try_from(count.max(1)).expect("a number");
        println!("  {name:<34} {:>6}.{:03} ms", micros / 1000, micros % 1000);
    }
}

fn main() {
    let mut arguments = env::args().skip(1).filter(|a| a != "--bench");
    let workspace = arguments.next().expect("a workspace with settlement documents");
    let wanted: usize = arguments
        .next()
        .map_or(10_000, |n| n.parse().expect("a number of messages"));
    let layout = Layout::new(workspace.as_ref());
    let release = Release::current(&layout).expect("readable").expect("a release");
    let (config, _) = config::load(layout.workspace()).expect("the configuration");
    let cards = release.read_table("partner_scores").expect("a table");
    let latest = cards.iter().map(|r| r.text("period").expect("a period")).max();
    let period = Period::parse(latest.expect("a card")).expect("a period");
    let in_sample = cards
        .iter()
        .filter(|r| r.text("period") == Ok(&period.to_string()))
        .count();
    let documents = release.read_table("settlements").expect("a table").rows.len();
    assert!(
        documents > 0,
        "close a period first: the workspace has no settlement document"
    );
    let many = wanted.div_ceil(in_sample.min(documents));
    let tables: BTreeMap<&str, Table> = copies::PER_PARTNER
        .map(|name| {
            let named = |column: &str, text: &str, partner: &str, _| {
                (column == "legal_name").then(|| format!("{text} {}q", partner.rsplit('-').next().unwrap_or_default()))
            };
            (name, copies::copied(&release, name, many, &named))
        })
        .into();
    let domains = release.read_table("domains").expect("a table");
    println!(
        "{} partners, {} rows, {}",
        tables["partners"].rows.len(),
        rows(&tables),
        memory()
    );
    scorecards(&config, (&tables, &domains), period, wanted);
    statements(&config, (&tables, &domains), wanted);
}

fn rows(tables: &BTreeMap<&str, Table>) -> usize {
    tables.values().map(|t| t.rows.len()).sum()
}

/// Does work on items on all cores, a batch at a time; the bytes that it made.
fn in_batches<T: Sync>(items: &[T], work: impl Fn(usize, &T) -> usize + Sync) -> usize {
    let bytes = AtomicUsize::new(0);
    let lanes = thread::available_parallelism().map_or(1, usize::from);
    for (number, batch) in items.chunks(BATCH).enumerate() {
        thread::scope(|scope| {
            for lane in 0..lanes {
                let (bytes, work) = (&bytes, &work);
                scope.spawn(move || {
                    for (i, item) in batch.iter().enumerate().skip(lane).step_by(lanes) {
                        bytes.fetch_add(work(number * BATCH + i, item), Ordering::Relaxed);
                    }
                });
            }
        });
    }
    bytes.into_inner()
}

fn scorecards(config: &Config, (tables, domains): (&BTreeMap<&str, Table>, &Table), period: Period, wanted: usize) {
    let programme = config.rules.programme();
    let as_of = Instant::parse("2026-10-12T06:00:00Z").expect("an instant");
    let shown = Programme {
        name: &programme.name,
        contact: "desk@programme.example",
        as_of,
        contest_days: programme.contest_days,
        closed_on: None,
    };
    let inputs = PublishingInputs::new(
        shown,
        &PublishingTables {
            partners: &tables["partners"],
            domains,
            calendar_partner_periods: &tables["calendar_partner_periods"],
            metrics: &tables["metrics"],
            scores: &tables["scores"],
            partner_scores: &tables["partner_scores"],
            key_event_points: &tables["key_event_points"],
            rebates: &tables["rebates"],
            ledger: &tables["ledger"],
            score_changes: &tables["score_changes"],
            next_steps: &tables["next_steps"],
            effective_certifications: &tables["effective_certifications"],
            engineers: &tables["engineers"],
            reviews: &tables["reviews"],
            review_criteria: &tables["review_criteria"],
        },
    )
    .expect("the tables");
    let directory = Directory::from_partners(&tables["partners"]).expect("the partners");
    let name = period.to_string();
    let cards: Vec<(PartnerId, RegionId)> = tables["partner_scores"]
        .iter()
        .filter(|row| row.text("period") == Ok(&name))
        .take(wanted)
        .map(|row| {
            let partner = PartnerId::new(row.text("partner_id").expect("an id")).expect("an id");
            (
                partner,
                RegionId::new(row.text("region").expect("a region")).expect("a region"),
            )
        })
        .collect();
    let look = Look::default();
    let (framing, rendering, searching, composing) =
        (Stage::default(), Stage::default(), Stage::default(), Stage::default());
    let from = Recipient::new(Some("Partner Programme"), "scorecards@programme.example");
    let start = Clock::now();
    let bytes = in_batches(&cards, |number, (partner, region)| {
        let frame = framing.time(|| {
            let book = config
                .rules
                .book(region, programme.calendar.first_day(period))
                .expect("a rule book");
            let schemes = book
                .schemes
                .values()
                .map(|s| (s.id.clone(), SchemeTerms::of(s)))
                .collect();
            let terms = CardTerms {
                grades: &book.grades,
                parts_mode: book.parts.mode,
                schemes: &schemes,
                next_ends_on: programme.calendar.last_day(period.next()),
                next_review_on: Some(programme.calendar.end_day(period.next())),
            };
            PartnerFrame::of(partner, period, &inputs, &terms).expect("a frame")
        });
        let texts = look.catalogues.of(LANGUAGES[number % LANGUAGES.len()]);
        let card = rendering.time(|| render(&frame, None, texts, &look).expect("a card"));
        let leaks =
            searching.time(|| directory.leaks(partner, &[&card.subject, &card.text, &visible_text(&card.html)]));
        assert!(leaks.is_empty(), "{partner}: {leaks:?}");
        let address = format!("c{number}@one.example");
        let to = [Recipient::new(Some("Ana Díaz"), &address)];
        let composed = composing.time(|| {
            let inline: Vec<Inline> = card
                .pictures
                .into_iter()
                .map(|(cid, p)| Inline { cid, png: p.png })
                .collect();
            compose(&Outgoing {
                from: &from,
                reply_to: None,
                recipients: &to,
                subject: &card.subject,
                text: &card.text,
                html: &card.html,
                inline: &inline,
                attachments: &[],
                message_key: &message_key("scorecard", period, partner, frame.data_hash),
                date: as_of,
            })
            .expect("a message")
        });
        composed.bytes.len()
    });
    print("scorecards", cards.len(), start, bytes);
    framing.print("frame", cards.len());
    rendering.print("text, HTML and pictures", cards.len());
    searching.print("search for others", cards.len());
    composing.print("composing", cards.len());
}

fn statements(config: &Config, (tables, domains): (&BTreeMap<&str, Table>, &Table), wanted: usize) {
    let inputs = StatementInputs::new(
        (&config.rules.programme().name, "desk@programme.example"),
        (&tables["partners"], domains),
        &tables["settlements"],
        &tables["statements"],
    )
    .expect("the tables");
    let directory = Directory::from_partners(&tables["partners"]).expect("the partners");
    let documents: Vec<(PartnerId, Period, String)> = tables["settlements"]
        .iter()
        .take(wanted)
        .map(|row| {
            let partner = PartnerId::new(row.text("partner_id").expect("an id")).expect("an id");
            let period = Period::parse(row.text("period").expect("a period")).expect("a period");
            (partner, period, row.text("settlement_no").expect("a number").to_owned())
        })
        .collect();
    let look = Look::default();
    let (framing, rendering, writing, searching, composing) = (
        Stage::default(),
        Stage::default(),
        Stage::default(),
        Stage::default(),
        Stage::default(),
    );
    let from = Recipient::new(Some("Partner Programme"), "statements@programme.example");
    let start = Clock::now();
    let bytes = in_batches(&documents, |i, (partner, period, number)| {
        let frame = framing.time(|| StatementFrame::of(partner, *period, number, &inputs).expect("a frame"));
        // without a folder of fonts, Chinese documents are set in English
        let texts = look.catalogues.of(LANGUAGES[i % LANGUAGES.len()]);
        let made = rendering.time(|| render_statement(&frame, &BTreeMap::new(), texts, &look).expect("a statement"));
        let words = made.attached_words();
        let html = visible_text(&made.html);
        let leaks = searching.time(|| directory.leaks(partner, &[&made.subject, &made.text, &html, &words]));
        assert!(leaks.is_empty(), "{partner}: {leaks:?}");
        let book = writing.time(|| {
            let sheets: Vec<Sheet> = made
                .sheets
                .into_iter()
                .map(|(name, table)| Sheet { name, table })
                .collect();
            workbook::write(&sheets).expect("a workbook")
        });
        let address = format!("c{i}@one.example");
        let to = [Recipient::new(Some("Ana Díaz"), &address)];
        let composed = composing.time(|| {
            let attach = |ending: &str, media_type, bytes| Enclosure {
                file_name: format!("{number}.{ending}"),
                media_type,
                bytes,
            };
            compose(&Outgoing {
                from: &from,
                reply_to: None,
                recipients: &to,
                subject: &made.subject,
                text: &made.text,
                html: &made.html,
                inline: &[],
                attachments: &[
                    attach("pdf", "application/pdf", made.pdf),
                    attach("xlsx", "application/zip", book),
                ],
                message_key: &message_key("statement", *period, partner, frame.data_hash),
                date: Instant::parse("2026-10-12T06:00:00Z").expect("an instant"),
            })
            .expect("a message")
        });
        composed.bytes.len()
    });
    print("statements", documents.len(), start, bytes);
    framing.print("frame", documents.len());
    rendering.print("text, HTML and PDF", documents.len());
    searching.print("search for others", documents.len());
    writing.print("workbook", documents.len());
    composing.print("composing", documents.len());
}

fn print(what: &str, count: usize, start: Clock, bytes: usize) {
    let seconds = start.elapsed();
    println!(
        "{count} {what}: {}.{:01} s, {} MB of messages, {}",
        seconds.as_secs(),
        seconds.subsec_millis() / 100,
        bytes / 1_000_000,
        memory()
    );
}

/// Peak of the memory of this process.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status
        .lines()
        .find(|l| l.starts_with("VmHWM"))
        .map(|l| l.split_whitespace().nth(1).unwrap_or("0"));
    let kilobytes: u64 = peak.and_then(|p| p.parse().ok()).unwrap_or(0);
    format!("peak {} MB", kilobytes / 1024)
}
