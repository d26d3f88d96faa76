//! Settlement documents as credit notes of UBL 2.1.
//!
//! Duty: the XML of one document, valid against the schema of OASIS. Must not: compute tax (the ERP does), or write files.
//!
//! A settlement on which something is due is a credit note of the vendor to the partner; its reversal is one with
//! negative amounts that refers to it.

use std::fmt::Write as _;

use crate::domain::{Date, Money};

/// A party of the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Party {
    pub id: String,
    pub name: String,
    /// Two letters of ISO 3166; none where it is not known.
    pub country: Option<String>,
}

/// One line: what it is for, and its amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub name: String,
    pub amount: Money,
}

/// What a credit note says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditNote {
    pub id: String,
    pub issued_on: Date,
    /// First and last day of the posting period.
    pub period: (Date, Date),
    pub notes: Vec<String>,
    pub vendor: Party,
    pub partner: Party,
    /// Document that it takes back.
    pub reverses: Option<String>,
    /// They add up to `due`.
    pub lines: Vec<Line>,
    pub due: Money,
}

/// The document as XML in UTF-8; equal documents give equal bytes.
#[must_use]
pub fn credit_note(note: &CreditNote) -> String {
    let mut xml = Xml::default();
    xml.text.push_str(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <CreditNote xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2\" \
         xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\" \
         xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\">\n",
    );
    xml.depth = 1;
    xml.leaf("cbc:UBLVersionID", "2.1");
    xml.leaf("cbc:ID", &note.id);
    xml.leaf("cbc:IssueDate", &note.issued_on.to_string());
    for text in &note.notes {
        xml.leaf("cbc:Note", text);
    }
    xml.leaf("cbc:DocumentCurrencyCode", note.due.currency().code());
    xml.within("cac:InvoicePeriod", |xml| {
        xml.leaf("cbc:StartDate", &note.period.0.to_string());
        xml.leaf("cbc:EndDate", &note.period.1.to_string());
    });
    if let Some(of) = &note.reverses {
        xml.within("cac:BillingReference", |xml| {
            xml.within("cac:CreditNoteDocumentReference", |xml| xml.leaf("cbc:ID", of));
        });
    }
    for (role, party) in [
        ("cac:AccountingSupplierParty", &note.vendor),
        ("cac:AccountingCustomerParty", &note.partner),
    ] {
        xml.within(role, |xml| xml.party(party));
    }
    xml.within("cac:LegalMonetaryTotal", |xml| {
        xml.amount("cbc:LineExtensionAmount", note.due);
        xml.amount("cbc:PayableAmount", note.due);
    });
    for (line, number) in note.lines.iter().zip(1..) {
        xml.within("cac:CreditNoteLine", |xml| {
            xml.leaf("cbc:ID", &number.to_string());
            xml.amount("cbc:LineExtensionAmount", line.amount);
            xml.within("cac:Item", |xml| xml.leaf("cbc:Name", &line.name));
        });
    }
    xml.text.push_str("</CreditNote>\n");
    xml.text
}

#[derive(Default)]
struct Xml {
    text: String,
    depth: usize,
}

impl Xml {
    fn indent(&mut self) {
        for _ in 0..self.depth {
            self.text.push_str("  ");
        }
    }

    fn leaf(&mut self, name: &str, value: &str) {
        self.indent();
        // writing to a string cannot fail
        let _ = writeln!(self.text, "<{name}>{}</{name}>", escaped(value));
    }

    fn amount(&mut self, name: &str, amount: Money) {
        self.indent();
        let _ = writeln!(
            self.text,
            "<{name} currencyID=\"{}\">{}</{name}>",
            amount.currency(),
            amount.dec()
        );
    }

    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) {
        self.indent();
        let _ = writeln!(self.text, "<{name}>");
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.indent();
        let _ = writeln!(self.text, "</{name}>");
    }

    fn party(&mut self, party: &Party) {
        self.within("cac:Party", |xml| {
            xml.within("cac:PartyIdentification", |xml| xml.leaf("cbc:ID", &party.id));
            xml.within("cac:PartyName", |xml| xml.leaf("cbc:Name", &party.name));
            if let Some(country) = &party.country {
                xml.within("cac:PostalAddress", |xml| {
                    xml.within("cac:Country", |xml| xml.leaf("cbc:IdentificationCode", country));
                });
            }
        });
    }
}

/// Text as XML 1.0 may hold it: marks escaped, characters that it forbids left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            c if c.is_control() || matches!(c, '\u{FFFE}' | '\u{FFFF}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_its_place() {
        assert_eq!(
            escaped("A & B <c> \"d\"\u{0}\u{B}\n"),
            "A &amp; B &lt;c&gt; &quot;d&quot; "
        );
    }
}
