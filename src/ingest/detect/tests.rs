//! Whole proposals: the sample's own dialects, and invented files in others.

use std::path::Path;
use std::sync::LazyLock;

use super::*;
use crate::contracts::Catalogue;
use crate::ingest::Source;

/// Contracts of the sample.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas");
    let files: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), std::fs::read_to_string(path).unwrap())
        })
        .collect();
    Catalogue::read(&files).unwrap()
});

pub fn detect(file: &str, bytes: &[u8], feed: Option<&str>) -> Result<Proposal, Fault> {
    let contracts: Vec<&Contract> = CATALOGUE.feeds().collect();
    let known = Known {
        contracts: &contracts,
        feed,
        name: None,
        taken: &[],
        in_workspace: true,
    };
    let sample = Sample {
        file,
        head: bytes,
        tail: b"",
        bytes: bytes.len() as u64,
    };
    text(sample, known)
}

/// `key value confidence | alternatives` of all keys, in order.
fn told(proposal: &Proposal) -> Vec<String> {
    let keys = proposal.guesses.iter().filter(|g| g.role == Role::Key);
    keys.map(|g| {
        let also: Vec<String> = g.alternatives.iter().map(ToString::to_string).collect();
        let also = if also.is_empty() {
            String::new()
        } else {
            format!(" | {}", also.join(" | "))
        };
        format!("{} {} {}{also}", g.key_name(), g.setting, g.confidence.name())
    })
    .collect()
}

/// The proposal as a person leaves it who takes the first form of every open point and names a zone.
fn decided(proposal: &Proposal) -> Source {
    let mut text = String::new();
    let mut before = String::new();
    for line in proposal.toml().lines().filter(|l| !l.starts_with("proposed")) {
        match line.strip_prefix("# decide: ") {
            Some(open) => {
                let key = open.split(" = ").next().unwrap().to_owned();
                if key != before {
                    text.push_str(&open.replacen("time_zone = \"\"", "time_zone = \"Asia/Tokyo\"", 1));
                }
                before = key;
            }
            None => text.push_str(line),
        }
        text.push('\n');
    }
    let findings = Source::read("new.toml", &proposal.toml()).unwrap_err();
    assert!(findings.iter().any(|f| f.rule == "source.proposed"), "{findings:?}");
    match Source::read("new.toml", &text) {
        Ok(mut sources) => sources.remove(0),
        Err(findings) => panic!("{findings:#?}\n{text}"),
    }
}

fn checked(proposal: &Proposal) -> Source {
    let source = decided(proposal);
    let contract = CATALOGUE.get(&proposal.feed).unwrap();
    assert_eq!(source.check(contract), [], "{}", proposal.toml());
    source
}

fn encoded(encoding: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
    encoding.encode(text).0.into_owned()
}

#[test]
fn a_german_export() {
    let mut text = "Exportiert am 31.07.2026\r\n\r\nAuftragspositions-Nr;Partner-Nr;Produktnummer;Währung;Menge;\
                    Listenbetrag;Nettobetrag;Rabattsatz;Auftragsdatum;Rechnungsdatum;line_kind;selling_entity\r\n"
        .to_owned();
    for i in 0..40 {
        let (day, kind) = (i % 28 + 1, if i % 3 == 0 { "Service" } else { "product" });
        text.push_str(&format!(
            "P-{i};EM-0001;\"RS;{i}\";EUR;1;1.234,5{i:02};-1.000,00;0,25;{day:02}.07.2026;{day:02}.07.2026;{kind};Österreich\r\n"
        ));
    }
    text.push_str("Summe;;;;;49.380,00;;;;;;\r\n");
    let bytes = encoded(encoding_rs::WINDOWS_1252, &text);
    let proposal = detect("in/verkauf_2026-07.csv", &bytes, Some("sales")).unwrap();
    assert_eq!(
        told(&proposal),
        [
            "name \"in-verkauf\" likely",
            "feed \"sales\" certain",
            "files [\"in/verkauf_*.csv\"] likely",
            "format \"csv\" certain",
            "encoding \"windows-1252\" likely | \"iso-8859-1\"",
            "delimiter \";\" certain",
            "skip.preamble_lines 2 likely",
            "decimal_mark \",\" certain",
            "grouping_mark \".\" certain",
            "date_formats [\"%d.%m.%Y\"] certain",
            "values.line_kind.Service \"service\" likely",
            "skip.totals { column = \"order_line_id\", starts_with = \"Summe\" } likely",
            "rename.Auftragspositions-Nr \"order_line_id\" likely",
            "rename.Partner-Nr \"partner_id\" likely",
            "rename.Produktnummer \"product_id\" likely",
            "rename.Währung \"currency\" likely",
            "rename.Menge \"quantity\" likely",
            "rename.Listenbetrag \"list_amount\" likely",
            "rename.Nettobetrag \"net_amount\" likely",
            "rename.Rabattsatz \"discount_rate\" likely",
            "rename.Auftragsdatum \"ordered_on\" likely",
            "rename.Rechnungsdatum \"invoiced_on\" likely",
        ]
    );
    let trial = proposal.trial.as_ref().unwrap();
    // amounts of 1.234,500 have one decimal more than the euro
    assert_eq!((trial.records, trial.skipped), (43, 3), "{}", trial.summary());
    checked(&proposal);
}

#[test]
fn a_wide_western_export_with_half_days() {
    let mut text = "support_id\tpartner_id\ttype\trequested_at\tprovided_at\n".to_owned();
    for i in 1..30 {
        text.push_str(&format!("S{i}\tP1\tbid_review\t07/{i:02}/2026 9:05 AM\tn/a\n"));
    }
    let mut bytes = b"\xFF\xFE".to_vec();
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let proposal = detect("in/support.txt", &bytes, None).unwrap();
    assert_eq!(
        told(&proposal),
        [
            "name \"in-support\" likely",
            "feed \"support\" likely",
            "files [\"in/support.txt\"] likely",
            "format \"csv\" certain",
            "encoding \"utf-16le\" certain",
            "delimiter \"\\t\" certain",
            "instant_formats [\"%m/%d/%Y %-I:%M %p\"] certain",
            "time_zone \"\" open",
            "null_tokens [\"n/a\"] likely",
        ]
    );
    assert_eq!(
        proposal.trial.as_ref().unwrap().summary(),
        "all 29 records would be accepted"
    );
    checked(&proposal);
}

#[test]
fn a_chinese_export() {
    let mut text = "订单行编号,合作伙伴编号,产品编号,类型,金额\n".to_owned();
    for i in 0..30 {
        text.push_str(&format!("A{i},P1,交换机{i},产品,100.5\n"));
    }
    let bytes = encoded(encoding_rs::GBK, &text);
    let proposal = detect("in/sales.csv", &bytes, Some("sales")).unwrap();
    let told = told(&proposal);
    let has = |line: &str| assert!(told.iter().any(|t| t.starts_with(line)), "{line}\n{told:#?}");
    has("encoding \"gbk\" likely");
    has("rename.订单行编号 \"order_line_id\" likely");
    has("rename.合作伙伴编号 \"partner_id\" likely");
    has("rename.产品编号 \"product_id\" likely");
    // what the file lacks is asked for, each column of it
    has("constants.currency \"\" open");
    has("constants.ordered_on \"\" open");
    assert!(
        proposal.toml().contains("# decide: currency = \"\"  # open: required"),
        "{}",
        proposal.toml()
    );
}

#[test]
fn what_is_ambiguous_waits_for_a_person() {
    let text = "order_line_id;partner_id;product_id;line_kind;list_amount;net_amount;discount_rate;quantity;currency;\
                selling_entity;ordered_on;invoiced_on\nA1;P1;X;product;1,234;2,500;0;1;KWD;E;01/02/2026;03/04/2026\n";
    let proposal = detect("in/a.csv", text.as_bytes(), None).unwrap();
    let told = told(&proposal);
    let open: Vec<String> = proposal.open().map(Guess::key_name).collect();
    assert_eq!(open, ["decimal_mark", "grouping_mark", "date_formats"], "{told:#?}");
    let toml = proposal.toml();
    for line in [
        "# decide: decimal_mark = \",\"  # a guess: ",
        "# decide: decimal_mark = \".\"\n",
        "# decide: grouping_mark = \",\"  # a guess: ",
        "# decide: date_formats = [\"%d/%m/%Y\"]  # a guess: ",
        "# decide: date_formats = [\"%m/%d/%Y\"]\n",
    ] {
        assert!(toml.contains(line), "{line}\n{toml}");
    }
    assert!(toml.contains("'1,234' could be 1.234 or 1234"), "{toml}");
}

#[test]
fn a_packed_file_of_objects_with_a_feed_that_must_be_found() {
    let mut text = String::new();
    for i in 0..25 {
        text.push_str(&format!(
            "{{\"survey_id\":\"S{i}\",\"delivery_id\":\"D{i}\",\"customer_id\":\"C1\",\"sent_at\":\"2026-07-01T10:00:00Z\",\
             \"answered_at\":\"2026-07-02T10:00:00Z\",\"rating\":4.5,\"scale_min\":1,\"scale_max\":5,\"selected_by\":\"random\",\"responsibility_share\":0.5,\
             \"vendor_fault\":\"nein\",\"mood\":\"fine\"}}\n"
        ));
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, text.as_bytes()).unwrap();
    let proposal = detect("in/s-1.jsonl.gz", &gzip.finish().unwrap(), None).unwrap();
    assert_eq!(
        told(&proposal),
        [
            "name \"in-s\" likely",
            "feed \"surveys\" likely",
            "files [\"in/s-*.jsonl.gz\"] likely",
            "format \"json_lines\" certain",
            "compression \"gzip\" certain",
            "values.vendor_fault.ja \"true\" likely",
            "values.vendor_fault.nein \"false\" likely",
        ]
    );
    let trial = proposal.trial.as_ref().unwrap();
    assert_eq!(trial.accepted, 25, "{trial:#?}");
    assert!(proposal.toml().contains("# unknown columns: mood"));
    assert_eq!(proposal.ranking[0].feed, "surveys");
    checked(&proposal);
}

#[test]
fn backslashes_may_escape_quotes() {
    let mut text = "date,region,name\n".to_owned();
    for i in 1..20 {
        text.push_str(&format!("2026-01-{i:02},emea,\"a \\\"b\\\", c\"\n"));
    }
    let proposal = detect("in/holidays.csv", text.as_bytes(), None).unwrap();
    assert!(
        told(&proposal).contains(&"escape \"\\\\\" likely".to_owned()),
        "{:#?}",
        told(&proposal)
    );
    assert_eq!(proposal.trial.as_ref().unwrap().accepted, 19);
}

#[test]
fn what_cannot_be_read_is_refused_with_a_reason() {
    let refused = |bytes: &[u8], feed| detect("in/a.csv", bytes, feed).unwrap_err().rule.into_owned();
    assert_eq!(refused(b"", None), "file.empty");
    assert_eq!(refused(b"\n\n", None), "file.no_header");
    assert_eq!(refused(b"%PDF-1.7", None), "file.type");
    assert_eq!(refused(b"[1, 2]", None), "file.type");
    assert_eq!(refused(b"a,b\n\x01\x02\x03,\x04\n", None), "file.type");
    assert_eq!(refused(b"A1,2026-01-02,5\nA2,2026-01-03,6\n", None), "file.no_header");
    assert_eq!(refused(b"id,amount\n1,2\n", Some("nope")), "detect.feed");
}

#[test]
fn a_sample_is_the_beginning_and_the_end() {
    let contracts: Vec<&Contract> = CATALOGUE.feeds().collect();
    let known = Known {
        contracts: &contracts,
        feed: None,
        name: Some("h"),
        taken: &[],
        in_workspace: false,
    };
    let head = b"date,region,name\n2026-01-01,emea,a\n2026-01-02,emea,b\n2026-01-0";
    let sample = Sample {
        file: "/elsewhere/holidays.csv",
        head,
        tail: b"-30,emea,y\n2026-12-31,emea,z\nTotal,,\n",
        bytes: 1 << 30,
    };
    let proposal = text(sample, known).unwrap();
    assert_eq!(
        proposal.trial.as_ref().unwrap().summary(),
        "all 2 records would be accepted"
    );
    assert_eq!(
        told(&proposal)[..3],
        [
            "name \"h\" certain",
            "feed \"holidays\" likely",
            "files [\"inbox/holidays.csv\"] open"
        ]
    );
    assert!(told(&proposal).contains(&"skip.totals { column = \"date\", starts_with = \"Total\" } likely".to_owned()));
}

#[test]
fn rows_of_a_workbook() {
    use crate::ingest::frames::{End, Kind, Record, Writer};
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out).unwrap();
    let mut put = |line: u64, cells: &[(Kind, &str)]| {
        let mut record = Record::default();
        record.clear(line);
        cells.iter().for_each(|(kind, text)| record.push(*kind, text));
        writer.record(&record).unwrap();
    };
    put(1, &[(Kind::Text, "Holidays of the region")]);
    put(
        3,
        &[
            (Kind::Text, "Datum"),
            (Kind::Text, "Region"),
            (Kind::Text, "Bezeichnung"),
        ],
    );
    put(
        4,
        &[
            (Kind::Date, "2026-01-01"),
            (Kind::Text, "emea"),
            (Kind::Text, "New Year"),
        ],
    );
    put(
        5,
        &[
            (Kind::Date, "2026-05-01"),
            (Kind::Text, "emea"),
            (Kind::Text, "May Day"),
        ],
    );
    writer.end(&End::default()).unwrap();
    let (found, whole) = read_frames(out.as_slice()).unwrap();
    let contracts: Vec<&Contract> = CATALOGUE.feeds().collect();
    let known = Known {
        contracts: &contracts,
        feed: Some("holidays"),
        name: None,
        taken: &[],
        in_workspace: true,
    };
    let found = Rows {
        format: Format::Xlsx,
        compression: Compression::None,
        sheet: Some("Tage".into()),
        rows: found,
        whole,
    };
    let proposal = rows("in/tage.xlsx", found, known).unwrap();
    assert_eq!(
        told(&proposal),
        [
            "name \"in-tage\" likely",
            "feed \"holidays\" certain",
            "files [\"in/tage.xlsx\"] likely",
            "format \"xlsx\" certain",
            "sheet \"Tage\" certain",
            "header_row 3 likely",
            "rename.Datum \"date\" likely",
            "rename.Bezeichnung \"name\" likely",
        ]
    );
    let source = checked(&proposal);
    assert_eq!((source.header_row, source.sheet.as_deref()), (3, Some("Tage")));
}

#[test]
fn rows_that_may_replace_one_another_are_asked_about() {
    let text = "date,region,name\n2026-01-01,emea,a\n2026-01-01,emea,b\n2026-01-02,emea,c\n2026-01-02,emea,c\n";
    let proposal = detect("in/holidays.csv", text.as_bytes(), None).unwrap();
    let mode = proposal.open().find(|g| g.key_name() == "mode").expect("a question");
    assert!(
        mode.evidence.starts_with("1 key stands more than once"),
        "{}",
        mode.evidence
    );
}

#[test]
fn a_file_of_no_feed_is_said_to_be_one() {
    let proposal = detect("in/x.csv", "foo,bar\nä,«»\n2026-01-01T00:00:0«,x\n".as_bytes(), None).unwrap();
    let feed = proposal.open().find(|g| g.key_name() == "feed").expect("a question");
    assert_eq!((feed.confidence, &feed.setting), (Confidence::Open, &Setting::text("")));
}

/// Bytes that nobody meant, cut anywhere: a proposal or a refusal, and never a panic.
#[test]
fn nothing_breaks_it() {
    let seeds: [&[u8]; 4] = [
        b"id;amount;date\n1;\"2,5\";01.02.2026\n2;;x\nTotal;;\n",
        b"{\"a\":1,\"b\":\"2026-01-01T00:00:00Z\"}\n{\"a\":null}\n",
        b"\xFF\xFEa\0,\0b\0\n\x001\0,\0",
        b"\xC9\xCF\xBA\xA3,\xB1\xB1\n1,2\n",
    ];
    for seed in seeds {
        for cut in 0..=seed.len() {
            let _ = detect("in/x.csv", &seed[..cut], Some("holidays"));
            let mut bytes = seed.to_vec();
            bytes.insert(cut, b'"');
            let _ = detect("in/x.csv", &bytes, Some("holidays"));
            bytes[cut] = 0xC2;
            let _ = detect("in/x.csv", &bytes, Some("holidays"));
        }
    }
}
