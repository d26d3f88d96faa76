//! Documents as PDF.
//!
//! Duty: a template of this program and data as JSON become a tagged PDF with embedded fonts; the same bytes for the
//! same data, with a date that comes with it. Not its duty: words and figures (`view_statement`). Must not: read a file,
//! the clock, or compile data: the template reads it as values.

use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use chrono::Datelike;

use super::inputs::PublishingError;
use super::pictures::embedded_fonts;
use crate::domain::Date;

/// Documents after which what was remembered between them is let go, so that memory stays bounded.
const REMEMBERED: usize = 4;

/// Sets documents of one template. Make it once: it holds the fonts and the parsed template.
#[derive(Debug)]
pub struct Typesetter {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    template: Source,
    data: FileId,
}

/// One document under way.
struct Job<'a> {
    setter: &'a Typesetter,
    data: Bytes,
}

impl Typesetter {
    /// A setter of a template, with the embedded fonts and font files of the programme's own.
    pub fn new(template: &str, own_fonts: &[Vec<u8>]) -> Result<Typesetter, PublishingError> {
        let embedded = embedded_fonts().into_iter().map(Bytes::new);
        let own = own_fonts.iter().map(|font| Bytes::new(font.clone()));
        let fonts: Vec<Font> = embedded.chain(own).flat_map(Font::iter).collect();
        let path = |name: &str| {
            let path = VirtualPath::new(name).map_err(|e| PublishingError::Template(format!("{name}: {e:?}")))?;
            Ok::<_, PublishingError>(RootedPath::new(VirtualRoot::Project, path).intern())
        };
        Ok(Typesetter {
            library: LazyHash::new(Library::default()),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            template: Source::new(path("document.typ")?, template.to_owned()),
            data: path("data.json")?,
        })
    }

    /// The PDF of some data. `name` identifies the document; `date` is what it is dated.
    pub fn pdf(&self, data: &serde_json::Value, name: &str, date: Date) -> Result<Vec<u8>, PublishingError> {
        let job = Job {
            setter: self,
            data: Bytes::from_string(data.to_string()),
        };
        let document = typst::compile::<PagedDocument>(&job)
            .output
            .map_err(|e| failed(name, &e))?;
        // accessible where it can be: a letter that no font has cannot
        let plain = options(name, date, &[])?;
        let pdf = typst_pdf::pdf(&document, &options(name, date, &[PdfStandard::Ua_1])?)
            .or_else(|_| typst_pdf::pdf(&document, &plain))
            .map_err(|e| failed(name, &e));
        typst::comemo::evict(REMEMBERED);
        pdf
    }
}

fn options(name: &str, date: Date, standards: &[PdfStandard]) -> Result<PdfOptions, PublishingError> {
    let day = |n: u32| u8::try_from(n).unwrap_or(1);
    let datetime = Datetime::from_ymd_hms(date.year(), day(date.month()), day(date.day()), 0, 0, 0);
    Ok(PdfOptions {
        ident: Smart::Custom(name.to_owned()),
        creator: Smart::Custom(Some("Starledger".to_owned())),
        timestamp: datetime.map(Timestamp::new_utc),
        standards: PdfStandards::new(standards)
            .map_err(|e| PublishingError::Template(format!("document {name}: {}", e.message())))?,
        ..PdfOptions::default()
    })
}

/// What went wrong, without what the document holds.
fn failed(name: &str, diagnostics: &[SourceDiagnostic]) -> PublishingError {
    let first = diagnostics
        .first()
        .map_or("it could not be set", |d| d.message.as_str());
    PublishingError::Template(format!("document {name}: {first}"))
}

impl World for Job<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.setter.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.setter.book
    }

    fn main(&self) -> FileId {
        self.setter.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.setter.template.id() {
            return Ok(self.setter.template.clone());
        }
        Err(FileError::AccessDenied)
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        if id == self.setter.data {
            return Ok(self.data.clone());
        }
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.setter.fonts.get(index).cloned()
    }

    fn today(&self, _offset: Option<Duration>) -> Option<Datetime> {
        None
    }
}
