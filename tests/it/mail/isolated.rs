//! Nobody gets a word of anybody else's: 500 partners, each with texts and amounts of its own.
//!
//! Duty: the rows of a real release, copied for 500 partners with a canary in every text and other amounts, through
//! publishing and composing; every message read by Python's strict parser and searched for every other canary. Not its
//! duty: how a leak is held (unit tests of `delivery::isolation`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value as Json, json};
use starledger::delivery::message::Recipient;
use starledger::delivery::{Directory, Inline, Outgoing, compose, message_key, visible_text};
use starledger::domain::ids::{PartnerId, RegionId};
use starledger::domain::{Instant, Period, Table};
use starledger::pipeline::config;
use starledger::publishing::inputs::{CardTerms, Programme};
use starledger::publishing::{Look, PartnerFrame, PublishingInputs, PublishingTables, SchemeTerms, Texts, render};
use starledger::store::layout::Layout;
use starledger::store::release::Release;

use crate::support::{copies, python::script, ran_sample};

/// Texts of a partner that a scorecard may show, by table. What steers what is shown stays as it is.
const TEXTS: [(&str, &[&str]); 10] = [
    ("partners", &["legal_name"]),
    ("metrics", &["reason", "note"]),
    ("scores", &["reason"]),
    ("partner_scores", &["reason"]),
    ("key_event_points", &["event_id", "code", "reason"]),
    ("rebates", &["reason", "component"]),
    ("engineers", &["engineer_id", "certificate_code"]),
    ("reviews", &["reason", "reason_codes"]),
    ("review_criteria", &["group_name"]),
    ("statements", &["reason", "component"]),
];

/// Names that try to be something else; all of them can be a name.
const HOSTILE: [&str; 12] = [
    "=?utf-8?q?forged?=",
    "<script>alert(1)</script>",
    "\"quoted\", <a@b.example>;",
    "\u{1F680} \u{E9}\u{301}\u{308}",
    "{{ 7*7 }} {% raw %}",
    "&amp;&lt;/td&gt;",
    "\u{0410}lpha in Cyrillic",
    "'; drop table partners; --",
    "\\r\\nBcc: x@y.example",
    "\u{5D0}\u{5D1}\u{5D2} Networks",
    "=cmd|'/c calc'!A1",
    "--=_boundary\" onload=\"x",
];

/// How often the partners of the sample are copied: 500 of them have a card.
const COPIES: usize = 17;

/// One word that nothing else can hold.
pub fn canary(partner: &str) -> String {
    let letters: String = partner
        .bytes()
        .filter(u8::is_ascii_alphanumeric)
        .map(char::from)
        .collect();
    format!("Kanari{letters}q")
}

/// Every partner's rows under names of their own, with a canary in every text that may be shown.
pub fn copied(release: &Release, name: &str) -> Table {
    let texts = TEXTS
        .iter()
        .find(|(t, _)| *t == name)
        .map_or(&[][..], |(_, columns)| columns);
    copies::copied(release, name, COPIES, &|column, text, partner, place| {
        let name_only = if name == "partners" {
            HOSTILE[place % HOSTILE.len()]
        } else {
            ""
        };
        texts
            .contains(&column)
            .then(|| format!("{text} {name_only} {}", canary(partner)))
    })
}

/// Reads every message as strictly as Python can, and says what of others is in it.
const SEARCH: &str = "
import email, email.policy, html.parser, json, pathlib, re, sys
folder = pathlib.Path(sys.argv[1])
expected = json.loads((folder / 'expected.json').read_text())
policy = email.policy.SMTP.clone(raise_on_defect=True)
word = re.compile(r'Kanari[A-Za-z0-9]+q')

class Page(html.parser.HTMLParser):
    def handle_starttag(self, tag, attributes):
        assert tag not in ('script', 'iframe', 'object', 'form', 'base'), tag
        assert not any(name.startswith('on') for name, _ in attributes), attributes
        assert not any('javascript:' in (value or '') for _, value in attributes), attributes

wrong, seen = [], 0
for name, want in expected.items():
    raw = (folder / name).read_bytes()
    message = email.message_from_bytes(raw, policy=policy)
    texts = [name, raw.decode('ascii')]
    for key in message.keys():
        assert message.get_all(key) is not None and len(message.get_all(key)) == 1, (name, key)
        assert not message[key].defects, (name, key, message[key].defects)
        texts.append(str(message[key]))
    if sorted(k.lower() for k in message.keys()) != sorted(want['headers']):
        wrong.append((name, 'headers', message.keys()))
    if [[a.display_name, a.addr_spec] for a in message['To'].addresses] != [want['to']]:
        # an encoded blank between two words may be doubled or lost by the reader, nothing else
        squeezed = [''.join(a.display_name.split()) for a in message['To'].addresses]
        if squeezed != [''.join(want['to'][0].split())] or message['To'].addresses[0].addr_spec != want['to'][1]:
            wrong.append((name, 'to', str(message['To'])))
    for part in message.walk():
        assert not part.defects, (name, part.defects)
        texts.append(part.get_filename() or '')
        if not part.is_multipart():
            content = part.get_content()
            texts.append(content if isinstance(content, str) else content.decode('latin-1'))
            if part.get_content_type() == 'text/html':
                Page().feed(content)
    found = set(word.findall('\\n'.join(texts)))
    seen += want['canary'] in found
    if found - {want['canary']}:
        wrong.append((name, 'foreign', sorted(found)))
    if max(len(line) for line in raw.split(b'\\r\\n')) > 998:
        wrong.append((name, 'a line is too long'))
    body = message.get_body(('plain',)).get_content()
    numbers = set(re.findall(r'\\d[\\d,]*\\.\\d\\d\\b', body))
    for other, amounts in want['foreign_amounts']:
        hit = numbers & set(amounts)
        if hit:
            wrong.append((name, 'amount of ' + other, sorted(hit)))
print(json.dumps({'wrong': wrong[:5], 'messages': len(expected), 'own': seen}))
";

/// Amounts as a scorecard writes them: only long ones, which no two partners have by accident.
fn amounts_in(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_ascii_digit() || c == ',' || c == '.'));
    words
        .filter(|w| w.contains(',') && w.len() >= 9 && w.rsplit_once('.').is_some_and(|(_, d)| d.len() == 2))
        .map(str::to_owned)
        .collect()
}

#[test]
fn five_hundred_partners_and_no_foreign_word() {
    let workspace = ran_sample();
    let release = Release::current(&Layout::new(workspace.path()))
        .expect("read")
        .expect("a release");
    let (config, _) = config::load(workspace.path()).expect("the configuration");
    let named: BTreeMap<&str, Table> = copies::PER_PARTNER.map(|name| (name, copied(&release, name))).into();
    let domains = release.read_table("domains").expect("a table");
    let programme = config.rules.programme();
    let as_of = Instant::parse("2026-10-12T06:00:00Z").expect("an instant");
    let shown = Programme {
        name: &programme.name,
        contact: "desk@programme.example",
        as_of,
        contest_days: programme.contest_days,
        closed_on: None,
    };
    let tables = PublishingTables {
        partners: &named["partners"],
        domains: &domains,
        calendar_partner_periods: &named["calendar_partner_periods"],
        metrics: &named["metrics"],
        scores: &named["scores"],
        partner_scores: &named["partner_scores"],
        key_event_points: &named["key_event_points"],
        rebates: &named["rebates"],
        ledger: &named["ledger"],
        score_changes: &named["score_changes"],
        next_steps: &named["next_steps"],
        effective_certifications: &named["effective_certifications"],
        engineers: &named["engineers"],
        reviews: &named["reviews"],
        review_criteria: &named["review_criteria"],
    };
    let inputs = PublishingInputs::new(shown, &tables).expect("the tables");
    let directory = Directory::from_partners(&named["partners"]).expect("the partners");
    let period = Period::parse("2026-Q3").expect("a period");
    let from = Recipient::new(Some("Partner Programme"), "scorecards@programme.example");
    let (texts, look) = (Texts::for_language("en"), Look::default());
    let folder = tempfile::tempdir().expect("a folder");
    let mut expected: BTreeMap<String, Json> = BTreeMap::new();
    let mut own: Vec<(String, String, Vec<String>)> = Vec::new();
    for (i, row) in named["partner_scores"]
        .iter()
        .filter(|r| r.text("period") == Ok("2026-Q3"))
        .enumerate()
    {
        let partner = PartnerId::new(row.text("partner_id").expect("an id")).expect("an id");
        let region = RegionId::new(row.text("region").expect("a region")).expect("a region");
        let first_day = programme.calendar.first_day(period);
        let book = config.rules.book(&region, first_day).expect("a rule book");
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
        let frame = PartnerFrame::of(&partner, period, &inputs, &terms).unwrap_or_else(|e| panic!("{partner}: {e}"));
        let card = render(&frame, None, &texts, &look).unwrap_or_else(|e| panic!("{partner}: {e}"));
        let leaks = directory.leaks(&partner, &[&card.subject, &card.text, &visible_text(&card.html)]);
        assert!(leaks.is_empty(), "{partner}: {leaks:?}");
        let name = format!("{} {}", HOSTILE[i % HOSTILE.len()], canary(partner.as_str()));
        let address = format!("c{i}@one.example");
        let to = [Recipient::new(Some(&name), &address)];
        let pictures = card.pictures.into_iter();
        let inline: Vec<Inline> = pictures.map(|(cid, p)| Inline { cid, png: p.png }).collect();
        let key = message_key("scorecard", period, &partner, frame.data_hash);
        let composed = compose(&Outgoing {
            from: &from,
            reply_to: None,
            recipients: &to,
            subject: &card.subject,
            text: &card.text,
            html: &card.html,
            inline: &inline,
            attachments: &[],
            message_key: &key,
            date: as_of,
        })
        .unwrap_or_else(|e| panic!("{partner}: {e}"));
        let file = format!("{key}.eml");
        fs::write(folder.path().join(&file), &composed.bytes).expect("the message");
        let headers = [
            "date",
            "from",
            "to",
            "subject",
            "message-id",
            "mime-version",
            "content-type",
            "auto-submitted",
            "x-auto-response-suppress",
        ];
        expected.insert(
            file.clone(),
            json!({ "canary": canary(partner.as_str()), "to": [name, address], "headers": headers }),
        );
        own.push((file, partner.to_string(), amounts_in(&card.text)));
    }
    assert!(expected.len() >= 500, "{}", expected.len());
    search(folder.path(), expected, &own);
}

/// Adds what others own and no two share, and lets Python search.
fn search(folder: &Path, mut expected: BTreeMap<String, Json>, own: &[(String, String, Vec<String>)]) {
    let mut owners: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, (_, _, amounts)) in own.iter().enumerate() {
        for amount in amounts {
            let of = owners.entry(amount).or_default();
            if of.last() != Some(&i) {
                of.push(i);
            }
        }
    }
    // an amount that several show by accident is nobody's; the sample must leave many that are somebody's
    let unique: Vec<(&str, usize)> = owners
        .iter()
        .filter(|(_, of)| of.len() == 1)
        .map(|(a, of)| (*a, of[0]))
        .collect();
    assert!(unique.len() >= 500, "only {} amounts are somebody's own", unique.len());
    let mut by_owner: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (amount, owner) in unique {
        by_owner.entry(owner).or_default().push(amount);
    }
    for (i, (file, _, _)) in own.iter().enumerate() {
        let foreign: Vec<Json> = by_owner
            .iter()
            .filter(|(owner, _)| **owner != i)
            .map(|(owner, amounts)| json!([own[*owner].1, amounts]))
            .collect();
        expected.get_mut(file).expect("a message")["foreign_amounts"] = Json::Array(foreign);
    }
    let said = searched(folder, &expected);
    assert_eq!(said["wrong"], json!([]), "{said}");
    assert_eq!(said["own"], said["messages"], "{said}");

    // the search can find: what belongs to one is foreign to the other
    let files: Vec<String> = expected.keys().take(2).cloned().collect();
    let mut swapped: BTreeMap<String, Json> = expected.into_iter().filter(|(f, _)| files.contains(f)).collect();
    for part in ["canary", "foreign_amounts"] {
        let first = swapped[&files[0]][part].clone();
        let second = std::mem::replace(&mut swapped.get_mut(&files[1]).expect("a message")[part], first);
        swapped.get_mut(&files[0]).expect("a message")[part] = second;
    }
    let said = searched(folder, &swapped).to_string();
    assert!(said.contains("foreign") && said.contains("amount of"), "{said}");
}

/// What Python finds.
fn searched(folder: &Path, expected: &BTreeMap<String, Json>) -> Json {
    fs::write(folder.join("expected.json"), json!(expected).to_string()).expect("the list");
    let said = script(SEARCH, &[folder.to_str().expect("a path")]);
    serde_json::from_str(&said).expect("JSON")
}

#[test]
fn what_no_name_may_hold_leaves_nothing_behind() {
    let from = Recipient::new(Some("Programme"), "scorecards@programme.example");
    let long = "x".repeat(4000);
    for name in [
        "A\r\nBcc: x@y.example",
        "A\0B",
        "A\u{202e}B",
        "A\u{200f}",
        "A\u{2028}B\u{85}",
        long.as_str(),
    ] {
        let to = [Recipient::new(Some(name), "a@one.example")];
        let composed = compose(&Outgoing {
            from: &from,
            reply_to: None,
            recipients: &to,
            subject: "Scorecard",
            text: "t\n",
            html: "<p>h</p>\n",
            inline: &[],
            attachments: &[],
            message_key: "k",
            date: Instant::parse("2026-10-12T06:00:00Z").expect("an instant"),
        });
        // refused, or one header of lines that are short enough
        if let Ok(composed) = composed {
            let text = String::from_utf8(composed.bytes).expect("ASCII");
            assert!(!text.contains("\r\nBcc") && text.is_ascii(), "{name:?}");
            assert!(text.split("\r\n").all(|l| l.len() <= 78), "{name:?}");
        }
    }
}
