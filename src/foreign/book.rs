//! What a workbook says of itself: its sheets, its shared parts, how it counts days.
//!
//! Duty: tell workbooks from what only looks like one, and find the sheet that a source means. Not its duty: cells.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use super::archive::Archive;
use super::budget::MAX_SHEETS;
use super::strings::Strings;
use super::styles::Styles;
use super::xml::{Node, Xml};
use crate::ingest::decode::fault_of;
use crate::ingest::frames::{Fault, Note, shown};

const STRICT: &str = "http://purl.oclc.org/ooxml/";

pub struct Book<R> {
    archive: Archive<R>,
    /// Path of the workbook part.
    path: String,
    sheets: Vec<Sheet>,
    /// By id: kind and path of other parts.
    links: BTreeMap<String, (String, String)>,
    pub is_1904: bool,
    /// Results of formulas need not be up to date.
    pub recalculates: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    pub name: String,
    pub is_hidden: bool,
    link: String,
}

impl<R: Read + Seek> Book<R> {
    pub fn open(mut input: R) -> Result<Book<R>, Fault> {
        check_head(&mut input)?;
        let mut archive = Archive::open(input)?;
        let links = links(&mut archive, "_rels/.rels", "")?;
        let main = links.into_values().find(|(kind, _)| kind.ends_with("/officeDocument"));
        let (kind, path) = main.unwrap_or((String::new(), "xl/workbook.xml".to_owned()));
        if kind.starts_with(STRICT) {
            return Err(strict());
        }
        if !archive.has(&path) || !path.ends_with(".xml") {
            return Err(other_archive(&archive, &path));
        }
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", &path));
        let prefix = if folder.is_empty() {
            String::new()
        } else {
            format!("{folder}/")
        };
        let links = self::links(&mut archive, &format!("{prefix}_rels/{file}.rels"), folder)?;
        let mut book = Book {
            archive,
            path,
            sheets: Vec::new(),
            links,
            is_1904: false,
            recalculates: false,
        };
        book.read()?;
        Ok(book)
    }

    fn read(&mut self) -> Result<(), Fault> {
        let Some(part) = self.archive.part(&self.path)? else {
            return Ok(());
        };
        let mut xml = Xml::new(part, "the workbook");
        let mut is_root = true;
        loop {
            let element = match xml.next()? {
                Node::Start(element) => element,
                Node::Eof => return Ok(()),
                Node::Text(_) | Node::End(_) => continue,
            };
            if std::mem::take(&mut is_root) {
                if element.namespace().starts_with(STRICT) {
                    return Err(strict());
                }
                if element.name() != "workbook" {
                    return Err(not_a_workbook("another document of Office"));
                }
            }
            match element.name() {
                "workbookPr" => self.is_1904 = element.is_set("date1904")?,
                "calcPr" => self.recalculates = element.is_set("fullCalcOnLoad")?,
                "sheet" => {
                    let is_hidden = element.attribute("state")?.is_some_and(|state| state != "visible");
                    let sheet = Sheet {
                        name: element.attribute("name")?.unwrap_or_default(),
                        is_hidden,
                        link: element.attribute("id")?.unwrap_or_default(),
                    };
                    self.sheets.push(sheet);
                    if self.sheets.len() > MAX_SHEETS {
                        let reason = format!("the workbook has more than {MAX_SHEETS} sheets");
                        return Err(Fault::new("xlsx.sheet", reason, "deliver the table alone"));
                    }
                }
                _ => {}
            }
        }
    }

    /// The sheet of that name; without one, the only visible sheet.
    pub fn sheet(&self, name: Option<&str>) -> Result<&Sheet, Fault> {
        let mut found = self
            .sheets
            .iter()
            .filter(|s| name.map_or(!s.is_hidden, |name| s.name == name));
        match (name, found.next(), found.next()) {
            (_, Some(sheet), None) => Ok(sheet),
            (Some(name), ..) => Err(Fault::new(
                "xlsx.sheet",
                format!("the workbook has no sheet {}; it has {}", shown(name), self.names()),
                "declare sheet in the source as the sheet is called",
            )),
            (None, ..) => Err(Fault::new(
                "xlsx.sheet",
                format!("the workbook has not one visible sheet; it has {}", self.names()),
                "declare sheet in the source",
            )),
        }
    }

    fn names(&self) -> String {
        let names: Vec<String> = self
            .sheets
            .iter()
            .take(20)
            .map(|s| format!("{}{}", shown(&s.name), if s.is_hidden { " (hidden)" } else { "" }))
            .collect();
        if names.is_empty() {
            return "none".to_owned();
        }
        names.join(", ")
    }

    /// What a person should know about sheets that are not read, and macros.
    pub fn notes(&self, read: &Sheet) -> Vec<Note> {
        let mut notes = Vec::new();
        if read.is_hidden {
            let message = format!("the sheet {} is hidden, and was read", shown(&read.name));
            notes.push(Note::warning(
                "xlsx.hidden_sheet",
                message,
                "make sure that it is the one that is meant",
            ));
        }
        if self.sheets.len() > 1 {
            let message = format!("of {} only {} was read", self.names(), shown(&read.name));
            notes.push(Note::plain(
                "xlsx.sheets",
                message,
                "declare a source for each sheet that is a table",
            ));
        }
        if self.archive.names().any(|name| name.ends_with("vbaproject.bin")) {
            let message = "the workbook has macros; they were not run";
            notes.push(Note::plain("xlsx.macros", message, "deliver a workbook without macros"));
        }
        notes
    }

    pub fn strings(&mut self) -> Result<Strings, Fault> {
        match self.shared("/sharedStrings", "the shared texts")? {
            Some(xml) => Strings::read(xml),
            None => Ok(Strings::default()),
        }
    }

    pub fn styles(&mut self) -> Result<Styles, Fault> {
        match self.shared("/styles", "the styles")? {
            Some(xml) => Styles::read(xml),
            None => Ok(Styles::default()),
        }
    }

    fn shared(&mut self, kind: &str, label: &str) -> Result<Option<Xml<impl Read>>, Fault> {
        let link = self.links.values().find(|(k, _)| k.ends_with(kind));
        let part = match link {
            Some((_, path)) => self.archive.part(path)?,
            None => None,
        };
        Ok(part.map(|bytes| Xml::new(bytes, label)))
    }

    pub fn cells(&mut self, sheet: &Sheet) -> Result<Xml<impl Read>, Fault> {
        let label = format!("the sheet {}", shown(&sheet.name));
        let missing = || {
            let reason = format!("the file has no part for {label}");
            Fault::new("archive.damaged", reason, "deliver the file again")
        };
        let (kind, path) = self.links.get(&sheet.link).ok_or_else(missing)?;
        if !kind.ends_with("/worksheet") {
            let reason = format!("{label} is no table but a chart, a dialogue or a macro");
            return Err(Fault::new("xlsx.sheet", reason, "declare sheet in the source"));
        }
        let part = self.archive.part(path)?.ok_or_else(missing)?;
        Ok(Xml::new(part, &label))
    }
}

/// Links of a part: id to kind and path.
fn links<R: Read + Seek>(
    archive: &mut Archive<R>,
    path: &str,
    folder: &str,
) -> Result<BTreeMap<String, (String, String)>, Fault> {
    let mut links = BTreeMap::new();
    let Some(part) = archive.part(path)? else {
        return Ok(links);
    };
    let mut xml = Xml::new(part, path);
    loop {
        match xml.next()? {
            Node::Start(element) if element.name() == "Relationship" => {
                let is_external = element.attribute("TargetMode")?.is_some_and(|mode| mode == "External");
                let (id, kind, target) = (
                    element.attribute("Id")?.unwrap_or_default(),
                    element.attribute("Type")?.unwrap_or_default(),
                    element.attribute("Target")?.unwrap_or_default(),
                );
                if !is_external {
                    links.insert(id, (kind, resolve(folder, &target)));
                }
            }
            Node::Eof => return Ok(links),
            _ => {}
        }
    }
}

/// The path of a part from the folder of the one that names it.
fn resolve(folder: &str, target: &str) -> String {
    let target = target.replace('\\', "/");
    let mut path: Vec<&str> = Vec::new();
    let steps = if target.starts_with('/') { "" } else { folder };
    for step in steps.split('/').chain(target.split('/')) {
        match step {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            name => path.push(name),
        }
    }
    path.join("/")
}

/// Old and protected workbooks are told by their first bytes.
fn check_head<R: Read + Seek>(input: &mut R) -> Result<(), Fault> {
    let mut head = Vec::new();
    input.take(8).read_to_end(&mut head).map_err(fault_of)?;
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return input.rewind().map_err(fault_of);
    }
    if head.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(if is_protected(input)? {
            Fault::new(
                "xlsx.protected",
                "the workbook is protected by a password, so that nobody can read it without",
                "remove the password, and deliver it again",
            )
        } else {
            not_a_workbook("an old Excel workbook (.xls) or another old Office document")
        });
    }
    Err(not_a_workbook(if head.starts_with(b"PAR1") {
        "a Parquet file"
    } else if head.starts_with(b"%PDF") {
        "a PDF document"
    } else if head.starts_with(b"<") {
        "an HTML or XML page"
    } else {
        "no zip archive, which every workbook is"
    }))
}

/// Whether an old container holds an encrypted workbook: the entry is called so, in UTF-16.
fn is_protected<R: Read>(input: &mut R) -> Result<bool, Fault> {
    let wanted: Vec<u8> = "EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut held = Vec::new();
    loop {
        let read = input.take(64 << 10).read_to_end(&mut held).map_err(fault_of)?;
        if held.windows(wanted.len()).any(|window| window == wanted) {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        held.drain(..held.len().saturating_sub(wanted.len()));
    }
}

fn other_archive<R: Read + Seek>(archive: &Archive<R>, path: &str) -> Fault {
    not_a_workbook(if archive.has("xl/workbook.bin") || path.ends_with("workbook.bin") {
        "a binary Excel workbook (.xlsb)"
    } else if archive.has("content.xml") {
        "an OpenDocument file (.ods or another)"
    } else if archive.has("word/document.xml") {
        "a Word document"
    } else if archive.has("ppt/presentation.xml") {
        "a presentation"
    } else {
        "a zip archive without a workbook"
    })
}

fn not_a_workbook(what: &str) -> Fault {
    Fault::new(
        "file.type",
        format!("the file is {what}, whatever its name says"),
        "save it as an Excel workbook (.xlsx), or declare the format that it has",
    )
}

fn strict() -> Fault {
    Fault::new(
        "xlsx.strict",
        "the workbook is saved as \"Strict Open XML\"",
        "save it as \"Excel workbook (.xlsx)\"",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_parts() {
        assert_eq!(resolve("xl", "worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
        assert_eq!(resolve("xl", "/xl/worksheets/sheet1.xml"), "xl/worksheets/sheet1.xml");
        assert_eq!(resolve("xl", "../../..\\x/./y"), "x/y");
        assert_eq!(resolve("", "xl/workbook.xml"), "xl/workbook.xml");
    }
}
