//! Writes the first inputs of every target: `seeds CORPUS SAMPLE_DATA`.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterVersion};
use starledger::foreign::{self, Format, Options};
use starledger::ingest::decode::Compression;
use starledger::readers::{CHOICES, PART, workbook};

const CSV: &str = "id,kind,label,amount,currency,rate,pieces,paid,day,at,note\n\
    A-1,red,abc,\"1,234.50\",EUR,0.25,3,true,2026-07-31,2026-07-31T12:30:00Z,\"say \"\"hi\"\",\nagain\"\n\
    A-2,blue,,-0.0001,JPY,1,-7,false,2026-02-29,2026-03-29T02:30:00.123+02:00,\n\
    id,kind,label,amount,currency,rate,pieces,paid,day,at,note\n,,,,,,,,,,\nTOTAL,,,12,,,,,,,\n\
    A-3,green,x,5,EUR,0.5,0,true,31.12.2026,31.12.2026 23:59,\u{a0}ÄÖ 日本\n";

const JSON: &str = "{\"id\":\"A-1\",\"kind\":\"red\",\"amount\":12.50,\"currency\":\"EUR\",\"rate\":1e-2,\"pieces\":3,\"paid\":true,\"day\":\"2026-07-31\",\"at\":\"2026-07-31T12:30:00Z\",\"note\":\"a\\u00e4\\ud83d\\ude00\\n\"}\n\
    {\"id\":\"A-2\",\"more\":null,\"day\":\"2026-07-31\",\"currency\":\"JPY\",\"amount\":\"7\"}\n{\"id\":{\"a\":[1]}}\n\n[1]\n";

struct Corpus(PathBuf);

impl Corpus {
    fn add(&self, target: &str, name: &str, choices: &[u8], file: &[u8]) {
        let mut bytes = choices.to_vec();
        bytes.resize(CHOICES, 0);
        bytes.extend_from_slice(file);
        self.plain(target, name, &bytes);
    }

    fn plain(&self, target: &str, name: &str, bytes: &[u8]) {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(name), bytes).expect("a seed");
    }
}

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let corpus = Corpus(arguments.next().expect("a folder for the corpus"));
    let sample = arguments.next().expect("the folder of the sample data");
    texts(&corpus);
    packed(&corpus);
    sample_data(&corpus, &sample);
    workbooks(&corpus);
    parquet_files(&corpus);
    sources(&corpus, &sample);
}

fn texts(corpus: &Corpus) {
    for form in 0..8_u8 {
        let twice = form << 2 | 0x80;
        let csv = CSV.replace(
            "id,kind,label,amount",
            ["id,kind,label,amount", "Nummer,kind,label,Betrag"][usize::from(form == 4)],
        );
        corpus.add(
            "csv",
            &format!("plain-{form}"),
            &[0, form, form, form, form, form * 5, twice, 0],
            csv.as_bytes(),
        );
        let semicolon = CSV.replace(',', ";").replace('.', ",");
        corpus.add(
            "csv",
            &format!("semicolon-{form}"),
            &[1, 0, 1, form, form, 7, twice, 0],
            semicolon.as_bytes(),
        );
        corpus.add(
            "json_lines",
            &format!("plain-{form}"),
            &[form, form, form, twice, 0],
            JSON.as_bytes(),
        );
    }
    let escaped = CSV.replace("\"\"", "\\\"");
    corpus.add("csv", "escaped", &[0, 2, 3, 0, 0, 7, 0x80, 0], escaped.as_bytes());
    for (number, text) in [CSV, JSON].into_iter().enumerate() {
        corpus.add("detect", &format!("text-{number}"), &[0], text.as_bytes());
        corpus.add("detect", &format!("tail-{number}"), &[40, 1, 1], text.as_bytes());
    }
}

/// Texts in other encodings and archives.
fn packed(corpus: &Corpus) {
    let wide: Vec<u8> = CSV.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xFF\xFE".as_slice(), &wide].concat();
    let (gbk, ..) = encoding_rs::GBK.encode(CSV);
    let (jis, ..) = encoding_rs::SHIFT_JIS.encode(CSV);
    let (latin, ..) = encoding_rs::WINDOWS_1252.encode("id,note\nA,€ ÄÖ\n");
    for (encoding, bytes) in [
        (1, wide.as_slice()),
        (0, &marked),
        (5, &gbk),
        (6, &gbk),
        (7, &jis),
        (3, &latin),
        (4, &latin),
    ] {
        corpus.add(
            "decode",
            &format!("encoding-{encoding}-{}", bytes.len()),
            &[encoding],
            bytes,
        );
        corpus.add(
            "csv",
            &format!("encoding-{encoding}-{}", bytes.len()),
            &[0, 0, 3, 0, 0, 7, 0x80, encoding],
            bytes,
        );
        corpus.add("detect", &format!("encoding-{encoding}-{}", bytes.len()), &[0], bytes);
    }
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(CSV.as_bytes()).expect("bytes in memory");
    let gzip = gzip.finish().expect("bytes in memory");
    let twice = [gzip.as_slice(), &gzip].concat();
    for (number, bytes) in [&gzip, &twice].into_iter().enumerate() {
        corpus.add("decode", &format!("gzip-{number}"), &[8], bytes);
        corpus.add("csv", &format!("gzip-{number}"), &[0, 0, 3, 0, 0, 7, 0x80, 8], bytes);
        corpus.add("detect", &format!("gzip-{number}"), &[0], bytes);
    }
    for (name, method) in [
        ("stored", zip::CompressionMethod::Stored),
        ("deflated", zip::CompressionMethod::Deflated),
    ] {
        for seekable in [true, false] {
            let bytes = archive("table.csv", CSV.as_bytes(), method, seekable);
            let name = format!("zip-{name}-{seekable}");
            corpus.add("decode", &name, &[16], &bytes);
            corpus.add("csv", &name, &[0, 0, 3, 0, 0, 7, 0x80, 16], &bytes);
            corpus.add("detect", &name, &[0], &bytes);
        }
    }
}

fn archive(name: &str, bytes: &[u8], method: zip::CompressionMethod, seekable: bool) -> Vec<u8> {
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    if seekable {
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        zip.start_file(name, options).expect("a part");
        zip.write_all(bytes).expect("bytes in memory");
        return zip.finish().expect("an archive").into_inner();
    }
    let mut zip = zip::ZipWriter::new_stream(Vec::new());
    zip.start_file(name, options).expect("a part");
    zip.write_all(bytes).expect("bytes in memory");
    zip.finish().expect("an archive").into_inner()
}

/// The beginnings of the sample's files.
fn sample_data(corpus: &Corpus, sample: &Path) {
    for region in ["apac", "emea", "latam", "finance", "reference"] {
        let mut files: Vec<PathBuf> = fs::read_dir(sample.join(region))
            .expect("a folder of the sample")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        for path in files.iter().step_by(3) {
            let bytes = fs::read(path).expect("a file of the sample");
            let end = bytes.len().min(1500);
            let name = format!("{region}-{}", path.file_name().expect("a name").to_string_lossy());
            let is_json = name.ends_with(".jsonl");
            let target = if is_json { "json_lines" } else { "csv" };
            corpus.add(target, &name, &[1, 0, 2, 3, 1, 7, 0x80, 0], &bytes[..end]);
            corpus.add("detect", &name, &[200], &bytes[..end]);
        }
    }
}

fn workbooks(corpus: &Corpus) {
    let header = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' t='s'><v>1</v></c><c r='C1' t='s'><v>2</v></c><c t='s'><v>3</v></c></row>";
    let rows = [
        "<row r='2'><c r='A2' t='inlineStr'><is><t>A-1</t></is></c><c r='B2' s='3'><v>12.5</v></c><c r='C2' t='str'><f>1</f><v>EUR</v></c><c r='D2' s='1'><v>45292</v></c></row>",
        "<row r='3' hidden='1'><c r='A3'><v>00123456789012345678</v></c><c r='B3'><v>1E-5</v></c><c t='b'><v>1</v></c><c s='2'><v>45292.75</v></c></row>",
        "<row r='9' ht='0'><c r='A9' t='e'><v>#REF!</v></c><c r='XFD9'><v>0.1</v></c></row><row r='10'/>",
        "<row><c><f>A1</f></c><c t='d'><v>2026-07-31T12:00:00</v></c><c t='inlineStr'><is><r><t>E</t></r><rPh><t>x</t></rPh><r><t xml:space='preserve'> UR_x0041_&#65;&amp;<![CDATA[x]]></t></r></is></c></row>",
    ];
    let behind = [
        "",
        "<mergeCells><mergeCell ref='A2:A3'/></mergeCells>",
        "<mergeCells><mergeCell ref='A1:B1'/></mergeCells>",
    ];
    for (number, row) in rows.into_iter().enumerate() {
        for (last, behind) in behind.into_iter().enumerate() {
            let columns = "<cols><col min='2' max='3' hidden='1'/><col min='4' max='16384' width='0'/></cols>";
            let sheet = format!(
                "<worksheet><dimension ref='A1:XFD1048576'/>{columns}<sheetData>{header}{row}{}</sheetData>{behind}</worksheet>",
                if number > 0 { "" } else { rows[1] }
            );
            let name = format!("rows-{number}-{last}");
            let choice = [0, 0, 7, 0, (number * 4) as u8];
            corpus.add("sheet", &name, &choice, sheet.as_bytes());
            let book = workbook(sheet.as_bytes());
            corpus.add("xlsx", &name, &choice, &book);
            corpus.add("frames", &name, &choice[..0], &frames(&book, Format::Workbook));
        }
    }
    let book = "<workbook><workbookPr date1904='1'/><sheets><sheet name='Other' sheetId='1' state='hidden' r:id='rId9'/><sheet name='Data' sheetId='2' r:id='rId1'/></sheets><calcPr fullCalcOnLoad='1'/></workbook>";
    let strings = "<sst count='9' uniqueCount='4'><si><t>id</t></si><si><r><rPr/><t>am</t></r><r><t>ount</t></r></si><si><t xml:space='preserve'> currency </t></si><si/></sst>";
    let styles = "<styleSheet><numFmts count='1'><numFmt numFmtId='164' formatCode='[$-409]d\\-mmm\\-yy;@&quot;h&quot;'/><numFmt numFmtId='165' formatCode='[h]:mm:ss;[Red]0.0_)'/></numFmts><cellStyleXfs><xf numFmtId='1'/></cellStyleXfs><cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='165'/><xf numFmtId='49'/></cellXfs></styleSheet>";
    let sheet = format!(
        "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'b'>]><x:worksheet xmlns:x='http://schemas.openxmlformats.org/spreadsheetml/2006/main'><x:sheetData>{header}</x:sheetData></x:worksheet>"
    );
    let parts = [sheet.as_str(), book, strings, styles].join(std::str::from_utf8(PART).expect("text"));
    corpus.add("sheet", "parts", &[0, 0, 7, 0, 4], parts.as_bytes());
    corpus.add("xlsx", "parts", &[0, 0, 7, 0, 4], &workbook(parts.as_bytes()));
    let plain = workbook(parts.as_bytes());
    let packed = archive("book.xlsx", &plain, zip::CompressionMethod::Deflated, true);
    corpus.add("xlsx", "packed", &[0, 0, 7, 0, 0, 2], &packed);
    corpus.add("detect", "book", &[0], &plain);
}

fn frames(file: &[u8], format: Format) -> Vec<u8> {
    let options = Options {
        format,
        compression: Compression::None,
        sheet: None,
        header_row: 1,
    };
    let mut frames = Vec::new();
    foreign::read(Cursor::new(file.to_vec()), &options, &mut frames).expect("an output in memory");
    frames
}

fn parquet_files(corpus: &Corpus) {
    let days = |i: i32| (i % 5 != 0).then_some(20_000 + i);
    let ids: StringArray = (0..20).map(|i| (i % 7 != 0).then(|| format!("P-{i}"))).collect();
    let amounts = Decimal128Array::from_iter_values((0..20).map(|i| i * 999)).with_precision_and_scale(18, 4);
    let kinds: DictionaryArray<Int32Type> = (0..20).map(|i| Some(["red", "blue"][i % 2])).collect();
    let times = TimestampMicrosecondArray::from_iter_values((0..20).map(|i| 1_704_112_200_250_000 + i));
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>((0..20).map(|i| Some(vec![Some(i); i as usize % 3])));
    let all: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(ids)),
        ("amount", Arc::new(amounts.expect("a scale"))),
        ("kind", Arc::new(kinds)),
        ("currency", Arc::new(StringArray::from(vec!["EUR"; 20]))),
        ("pieces", Arc::new(Int64Array::from_iter_values(0..20))),
        (
            "paid",
            Arc::new((0..20).map(|i| Some(i % 2 == 0)).collect::<BooleanArray>()),
        ),
        ("day", Arc::new((0..20).map(days).collect::<Date32Array>())),
        ("at", Arc::new(times.with_timezone("UTC"))),
        ("list", Arc::new(lists)),
        ("float", Arc::new(Float64Array::from(vec![0.5; 20]))),
    ];
    let codecs = [
        Codec::UNCOMPRESSED,
        Codec::SNAPPY,
        Codec::ZSTD(ZstdLevel::default()),
        Codec::LZ4_RAW,
    ];
    for (number, codec) in codecs.into_iter().enumerate() {
        for (version, is_dictionary) in [(WriterVersion::PARQUET_1_0, true), (WriterVersion::PARQUET_2_0, false)] {
            for (count, columns) in [("all", &all[..]), ("flat", &all[..8]), ("two", &all[..2])] {
                let properties = WriterProperties::builder()
                    .set_compression(codec)
                    .set_writer_version(version)
                    .set_dictionary_enabled(is_dictionary)
                    .set_data_page_row_count_limit(7)
                    .set_write_batch_size(7)
                    .build();
                let batch =
                    RecordBatch::try_from_iter_with_nullable(columns.iter().map(|(n, a)| (*n, a.clone(), true)));
                let batch = batch.expect("columns of one length");
                let mut bytes = Vec::new();
                let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties)).expect("a writer");
                writer.write(&batch).expect("bytes in memory");
                writer.close().expect("bytes in memory");
                let name = format!("{count}-{number}-{is_dictionary}");
                corpus.add("parquet", &name, &[0], &bytes);
                if number == 0 {
                    corpus.add("frames", &name, &[1], &frames(&bytes, Format::Parquet));
                }
            }
        }
    }
}

/// Declared sources, one an input.
fn sources(corpus: &Corpus, sample: &Path) {
    let folder = sample.join("../pipelines/sources");
    for entry in fs::read_dir(folder).expect("the folder of sources") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a file of sources");
        let name = path.file_stem().expect("a name").to_string_lossy();
        for (number, part) in text.split("[[source]]").skip(1).enumerate() {
            let text = format!("[[source]]{part}").replace("feed = \"sales\"", "feed = \"items\"");
            corpus.plain("source_toml", &format!("{name}-{number}"), text.as_bytes());
        }
    }
}
