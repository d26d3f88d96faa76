//! Everything that reads what others send, as functions of bytes alone.
//!
//! Duty: the first bytes of an input choose a source, the rest is a file of it; what must hold of any file is asserted.
//! The fuzz targets run them, and the tests replay what the targets found. Not its duty: finding inputs, limits of
//! memory and time.

use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::sync::LazyLock;

use starledger::contracts::{self, Contract, Drift};
use starledger::domain::{Batch, Digest};
use starledger::foreign::{Format, Options};
use starledger::ingest::decode::{self, Compression, Encoding};
use starledger::ingest::detect::{self, Known, Rows, Sample};
use starledger::ingest::frames::{Next, Reader, Record};
use starledger::ingest::split::Splitter;
use starledger::ingest::{FileOrigin, FileOutcome, Input, Source, Verdict, read_file, source};

/// Bytes in front of the file that choose its source.
pub const CHOICES: usize = 8;

/// Parts the files of a workbook in an input of [`sheet`].
pub const PART: &[u8] = b"\n%%\n";

/// What gives the frames of a file: the process that reads foreign files, or this one.
pub type Frames<'a> = &'a dyn Fn(&[u8], &Options) -> Vec<u8>;

const NUMBER_MARKS: [&str; 4] = [
    "",
    "decimal_mark = ','\n",
    "decimal_mark = ','\ngrouping_mark = '.'\n",
    "grouping_mark = ','\n",
];

const TIMES: [&str; 8] = [
    "",
    "date_formats = ['%d.%m.%Y', '%Y-%m-%d']\n",
    "date_formats = ['%m/%d/%Y', '%d/%m/%Y']\n",
    "instant_formats = ['%d.%m.%Y %H:%M', '%F %T%.f']\ntime_zone = 'Europe/Berlin'\noverlap = 'first'\n",
    "instant_formats = ['%F %T%.f%z', '%F %I:%M %p']\ntime_zone = 'America/Sao_Paulo'\n",
    "date_formats = ['%-d %b %Y']\ntime_zone = 'Asia/Kathmandu'\noverlap = 'last'\n",
    "time_zone = 'Australia/Lord_Howe'\n",
    "date_formats = ['%Y%m%d']\ninstant_formats = ['%Y%m%d%H%M%S']\ntime_zone = 'UTC'\n",
];

const TEXTS: [&str; 8] = [
    "",
    "null_tokens = ['-', 'N/A']\n",
    "values = { kind = { rot = 'red', '?' = '' }, paid = { ja = 'true', nein = 'false' } }\n",
    "constants = { currency = 'EUR', label = 'abc' }\n",
    "rename = { Nummer = 'id', Betrag = 'amount', Tag = 'day' }\n",
    "null_tokens = ['0']\nconstants = { note = 'x' }\nvalues = { paid = { '1' = 'true' } }\n",
    "rename = { id = 'label', label = 'id' }\n",
    "null_tokens = ['']\nvalues = { currency = { '€' = 'EUR' } }\n",
];

const DRIFTS: [Drift; 4] = [Drift::DiscardValue, Drift::DiscardRow, Drift::Evolve, Drift::Freeze];

const COMPRESSIONS: [Compression; 3] = [Compression::None, Compression::Gzip, Compression::Zip];

const ENCODINGS: [Encoding; 8] = [
    Encoding::Utf8,
    Encoding::Utf16Le,
    Encoding::Utf16Be,
    Encoding::Windows1252,
    Encoding::Latin1,
    Encoding::Gbk,
    Encoding::Gb18030,
    Encoding::ShiftJis,
];

/// What the first bytes of an input choose.
struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    /// The choices and the file behind them.
    fn of(input: &'a [u8]) -> (Choices<'a>, &'a [u8]) {
        let (choices, file) = input.split_at(CHOICES.min(input.len()));
        (Choices(choices), file)
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.byte()) % of.len()]
    }
}

fn contract(drifts: u8) -> Contract {
    static CONTRACT: LazyLock<Contract> = LazyLock::new(|| {
        let text = include_str!("contract.odcs.yaml");
        contracts::read("schemas/items.odcs.yaml", text).expect("a contract")
    });
    let mut contract = CONTRACT.clone();
    contract.drift = DRIFTS[usize::from(drifts % 4)];
    match drifts / 4 % 4 {
        1 => contract.columns[1].drift = Drift::Evolve,
        2 => contract
            .columns
            .iter_mut()
            .take(12)
            .filter(|c| !c.required)
            .for_each(|c| c.drift = Drift::DiscardValue),
        3 => contract.columns[6].drift = Drift::Freeze,
        _ => {}
    }
    contract
}

/// A source with these keys; `None`: they do not go together, or not with the contract.
fn source(format: &str, keys: &str, contract: &Contract) -> Option<Source> {
    let text = format!("[[source]]\nname = 'fuzz'\nfeed = 'items'\nfiles = ['in/*']\nformat = '{format}'\n{keys}");
    let source = Source::read("pipelines/sources/fuzz.toml", &text).ok()?.pop()?;
    source.check(contract).is_empty().then_some(source)
}

fn skips(choice: u8, preamble: bool) -> String {
    let is = |bit: u8| choice & bit != 0;
    let totals = if is(4) {
        ", totals = { column = 'id', starts_with = 'TOTAL' }"
    } else {
        ""
    };
    let lines = if preamble {
        format!(", preamble_lines = {}", choice / 8 % 4)
    } else {
        String::new()
    };
    format!("skip = {{ blank_rows = {}{totals}{lines} }}\n", is(1))
}

fn packing(choices: &mut Choices<'_>) -> (String, Compression, Encoding) {
    let byte = choices.byte();
    let encoding = ENCODINGS[usize::from(byte % 8)];
    let compression = COMPRESSIONS[usize::from(byte / 8) % 3];
    let mut keys = format!("encoding = '{}'\n", encoding.name());
    if compression != Compression::None {
        keys += &format!("compression = '{}'\n", compression.name());
    }
    (keys, compression, encoding)
}

/// Gives few bytes at a time.
struct Trickle<'a>(Cursor<&'a [u8]>);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let most = buffer.len().min(1 + (self.0.position() % 7) as usize);
        self.0.read(&mut buffer[..most])
    }
}

impl Seek for Trickle<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

fn read(source: &Source, contract: &Contract, bytes: usize, input: Input<'_>) -> (FileOutcome, Vec<Batch>) {
    let origin = FileOrigin {
        arrival: 7,
        file_name: "in/file".to_owned(),
        file_hash: Digest::of(b""),
        bytes: bytes as u64,
    };
    let mut batches = Vec::new();
    let outcome = read_file(source, contract, &origin, input, &mut batches);
    outcome.assert_conserved();
    match &outcome.verdict {
        Verdict::Read => {
            let rows: usize = batches.iter().map(Batch::rows).sum();
            assert_eq!(i64::try_from(rows), Ok(outcome.rows));
            assert!(
                batches
                    .iter()
                    .all(|b| b.columns.iter().all(|c| c.len() == b.lines.len()))
            );
        }
        Verdict::SetAside { reason } => {
            assert!(!reason.is_empty());
            assert_eq!((outcome.records, outcome.rows, outcome.rejected()), (0, 0, 0));
        }
    }
    (outcome, batches)
}

/// Rejected records, as they are split for a person.
fn split(source: &Source, contract: &Contract, outcome: &FileOutcome, input: Input<'_>) {
    if outcome.rejects.is_empty() {
        return;
    }
    let columns = source::data_columns(contract).len();
    let splitter = Splitter::new(source, contract, input).expect("the header of a file that was read");
    for reject in outcome.rejects.iter().take(8) {
        if let Some(texts) = splitter.split(&reject.raw) {
            assert_eq!(texts.len(), columns);
        }
    }
}

/// Reads a text at once and in small pieces: the same must come of it.
fn text(source: &Source, contract: &Contract, file: &[u8], twice: bool) -> FileOutcome {
    let at_once = || Input::Bytes(Box::new(Cursor::new(file)));
    let (outcome, batches) = read(source, contract, file.len(), at_once());
    if twice {
        let pieces = Input::Bytes(Box::new(Trickle(Cursor::new(file))));
        let again = read(source, contract, file.len(), pieces);
        // how much of a damaged archive is unpacked before that shows depends on how it is read; it is refused
        let is_cut = source.compression != Compression::None && matches!(outcome.verdict, Verdict::SetAside { .. });
        if is_cut {
            assert!(matches!(again.0.verdict, Verdict::SetAside { .. }));
        } else {
            assert_eq!(format!("{:?}", (&outcome, &batches)), format!("{again:?}"));
        }
        split(source, contract, &outcome, at_once());
    }
    outcome
}

/// CSV in every dialect and encoding.
pub fn csv(input: &[u8]) -> Option<FileOutcome> {
    let (mut choices, file) = Choices::of(input);
    let mut keys = format!("delimiter = \"{}\"\n", choices.one(&[",", ";", "\\t", "|", " "]));
    keys += choices.one(&["", "quote = \"'\"\n", "escape = '\\'\n", "quote = ''\n"]);
    keys += choices.one(&NUMBER_MARKS);
    keys += choices.one(&TIMES);
    keys += choices.one(&TEXTS);
    let skip = choices.byte();
    keys += &skips(skip, true);
    let drifts = choices.byte();
    keys += &packing(&mut choices).0;
    let contract = contract(drifts);
    let source = source("csv", &keys, &contract)?;
    Some(text(&source, &contract, file, drifts & 0x80 != 0))
}

/// JSON Lines.
pub fn json_lines(input: &[u8]) -> Option<FileOutcome> {
    let (mut choices, file) = Choices::of(input);
    let mut keys = String::new();
    keys += choices.one(&TIMES);
    keys += choices.one(&TEXTS);
    let skip = choices.byte();
    keys += &skips(skip, false);
    let drifts = choices.byte();
    keys += &packing(&mut choices).0;
    let contract = contract(drifts);
    let source = source("json_lines", &keys, &contract)?;
    Some(text(&source, &contract, file, drifts & 0x80 != 0))
}

/// Archives and encodings alone: text, or why not.
pub fn decode(input: &[u8]) -> Option<FileOutcome> {
    let (mut choices, file) = Choices::of(input);
    let (_, compression, encoding) = packing(&mut choices);
    let mut all = Vec::new();
    let inputs: [Box<dyn decode::Bytes + '_>; 2] = [Box::new(Cursor::new(file)), Box::new(Trickle(Cursor::new(file)))];
    for input in inputs {
        all.push(match decode::text(input, compression, encoding) {
            Ok(mut text) => {
                let mut out = Vec::new();
                let read = text.read_to_end(&mut out).map_err(|e| e.to_string());
                assert!(text.encoding() == Encoding::Utf8 || read.is_err() || is_utf8_but_for_marks(&out));
                let malformed = text.malformed();
                // what comes before a damage is not used
                read.map(|_| (out, malformed.count(), malformed.nth(0).map(|b| format!("{b:?}"))))
            }
            Err(fault) => Err(format!("{fault:?}")),
        });
    }
    let is_cut = compression != Compression::None && all.iter().all(Result::is_err);
    assert!(is_cut || all[0] == all[1], "read at once and in pieces");
    None
}

/// Each malformed sequence is one byte 0xFF, and all else is UTF-8.
fn is_utf8_but_for_marks(text: &[u8]) -> bool {
    text.split(|byte| *byte == 0xFF)
        .all(|part| std::str::from_utf8(part).is_ok())
}

fn foreign_source(choices: &mut Choices<'_>, format: Format) -> Option<(Source, Contract)> {
    let mut keys = choices.one(&TIMES).to_owned();
    keys += choices.one(&TEXTS);
    let (skip, drifts, more) = (choices.byte(), choices.byte(), choices.byte());
    keys += &skips(skip, false);
    if format == Format::Workbook {
        keys += NUMBER_MARKS[usize::from(more % 4)];
        keys += ["", "sheet = 'Data'\n"][usize::from(more / 4 % 2)];
        keys += ["", "hidden_rows = 'reject'\n"][usize::from(more / 8 % 2)];
        keys += &format!("header_row = {}\n", 1 + more / 16 % 4);
    }
    let compression = choices.one(&COMPRESSIONS);
    if compression != Compression::None {
        keys += &format!("compression = '{}'\n", compression.name());
    }
    let contract = contract(drifts);
    let source = source(format.name(), &keys, &contract)?;
    Some((source, contract))
}

fn foreign(input: &[u8], format: Format, frames: Frames<'_>) -> Option<FileOutcome> {
    let (mut choices, file) = Choices::of(input);
    let (source, contract) = foreign_source(&mut choices, format)?;
    let options = Options::of(&source).expect("a foreign format");
    let frames = frames(file, &options);
    let stream = || Input::Frames(Box::new(frames.as_slice()));
    let (outcome, _) = read(&source, &contract, file.len(), stream());
    split(&source, &contract, &outcome, stream());
    Some(outcome)
}

/// Workbooks as they are.
pub fn xlsx(input: &[u8], frames: Frames<'_>) -> Option<FileOutcome> {
    foreign(input, Format::Workbook, frames)
}

/// Sound archives of files that need not be: the sheet, and behind [`PART`] workbook, shared strings, styles, links of
/// the workbook, links of the archive. What is not given is as it should be.
pub fn sheet(input: &[u8], frames: Frames<'_>) -> Option<FileOutcome> {
    let (choices, parts) = input.split_at(CHOICES.min(input.len()));
    let mut choices = choices.to_vec();
    choices.resize(CHOICES, 0);
    // not packed once more
    choices[5] = 0;
    choices.extend(workbook(parts));
    foreign(&choices, Format::Workbook, frames)
}

/// The parts of a workbook, packed.
pub fn workbook(parts: &[u8]) -> Vec<u8> {
    const KINDS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let book = "<workbook><sheets><sheet name='Data' sheetId='1' r:id='rId1'/></sheets></workbook>";
    let strings = "<sst><si><t>id</t></si><si><t>amount</t></si><si><t>currency</t></si><si><t>day</t></si></sst>";
    let styles = "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='yyyy\\-mm\\-dd'/></numFmts><cellXfs>\
                  <xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='22'/><xf numFmtId='2'/></cellXfs></styleSheet>";
    let links = format!(
        "<Relationships><Relationship Id='rId1' Type='{KINDS}/worksheet' Target='worksheets/sheet1.xml'/>\
         <Relationship Id='rId2' Type='{KINDS}/styles' Target='styles.xml'/>\
         <Relationship Id='rId3' Type='{KINDS}/sharedStrings' Target='sharedStrings.xml'/></Relationships>"
    );
    let top = format!(
        "<Relationships><Relationship Id='rId1' Type='{KINDS}/officeDocument' Target='xl/workbook.xml'/></Relationships>"
    );
    let named = [
        ("xl/worksheets/sheet1.xml", ""),
        ("xl/workbook.xml", book),
        ("xl/sharedStrings.xml", strings),
        ("xl/styles.xml", styles),
        ("xl/_rels/workbook.xml.rels", &links),
        ("_rels/.rels", &top),
    ];
    let mut given = divided(parts).into_iter();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, default) in named {
        let bytes = given
            .next()
            .filter(|part| !part.is_empty())
            .unwrap_or(default.as_bytes());
        zip.start_file(name, options).expect("a part");
        zip.write_all(bytes).expect("bytes in memory");
    }
    zip.finish().expect("an archive").into_inner()
}

fn divided(parts: &[u8]) -> Vec<&[u8]> {
    let mut all = Vec::new();
    let mut rest = parts;
    while let Some(at) = rest.windows(PART.len()).position(|window| window == PART) {
        all.push(&rest[..at]);
        rest = &rest[at + PART.len()..];
    }
    all.push(rest);
    all
}

/// Parquet files.
pub fn parquet(input: &[u8], frames: Frames<'_>) -> Option<FileOutcome> {
    foreign(input, Format::Parquet, frames)
}

/// What the process that reads foreign files could write, were it taken over.
pub fn frames(input: &[u8]) -> Option<FileOutcome> {
    let (mut choices, stream) = Choices::of(input);
    let format = choices.one(&[Format::Workbook, Format::Parquet]);
    let (source, contract) = foreign_source(&mut choices, format)?;
    let mut reader = Reader::new(stream);
    let mut record = Record::default();
    let bytes = loop {
        match reader.next(&mut record) {
            Ok(Next::End(end)) => break end.bytes,
            Ok(_) => assert_eq!(record.fields().len(), record.width()),
            Err(_) => break 0,
        }
    };
    let whole = || Input::Frames(Box::new(stream));
    let (outcome, batches) = read(&source, &contract, usize::try_from(bytes).ok()?, whole());
    let pieces = Input::Frames(Box::new(Trickle(Cursor::new(stream))));
    let again = read(&source, &contract, usize::try_from(bytes).ok()?, pieces);
    assert_eq!(format!("{:?}", (&outcome, &batches)), format!("{again:?}"));
    split(&source, &contract, &outcome, whole());
    if let Ok((rows, whole)) = detect::read_frames(stream) {
        let rows = Rows {
            format: source.format,
            compression: source.compression,
            sheet: source.sheet.clone(),
            rows,
            whole,
        };
        let known = Known {
            contracts: &[&contract],
            feed: None,
            name: None,
            taken: &[],
            in_workspace: true,
        };
        if let Ok(mut proposal) = detect::rows("in/file.xlsx", rows, known) {
            assert_readable(&proposal.toml());
            if let Ok(proposed) = proposal.trial_source() {
                proposal.try_read(&proposed, &contract, Input::Frames(Box::new(stream)), bytes);
            }
        }
    }
    Some(outcome)
}

/// Files that declare sources.
pub fn source_toml(input: &[u8]) -> Option<FileOutcome> {
    let contract = contract(0);
    let text = std::str::from_utf8(input).ok()?;
    match Source::read("pipelines/sources/fuzz.toml", text) {
        Ok(sources) => {
            for source in &sources {
                source.check(&contract);
                source.matches("in/file.csv");
            }
        }
        Err(findings) => assert!(!findings.is_empty()),
    }
    None
}

/// Files that nobody declared.
pub fn detect(input: &[u8]) -> Option<FileOutcome> {
    let (mut choices, file) = Choices::of(input);
    let contract = contract(0);
    let tail = usize::from(choices.byte());
    let (head, tail) = file.split_at(file.len() - tail.min(file.len()));
    let whole = tail.is_empty();
    if detect::foreign(head, whole).ok()?.is_some() {
        return None;
    }
    let sample = Sample {
        file: choices.one(&["in/file-2026-07.csv", "file", "in/a b/ü'\".jsonl"]),
        head,
        tail,
        bytes: file.len() as u64,
    };
    let known = Known {
        contracts: &[&contract],
        feed: choices.one(&[None, Some("items"), Some("nothing")]),
        name: None,
        taken: &["file"],
        in_workspace: choices.byte() % 2 == 0,
    };
    if let Ok(proposal) = detect::text(sample, known) {
        assert_readable(&proposal.toml());
    }
    None
}

/// What is proposed can be read, and is refused for no more than being proposed and not yet filled in.
fn assert_readable(toml: &str) {
    let read = Source::read("pipelines/sources/proposed.toml", toml);
    let findings = read.expect_err("a proposal is refused");
    assert!(
        findings.iter().all(|f| f.rule != "source.syntax"),
        "{findings:?}\n{toml}"
    );
}
