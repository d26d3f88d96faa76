//! Settlement documents as credit notes of UBL 2.1.
//!
//! Duty: the XML of one document, valid against the schema of OASIS. Must not: compute tax (the ERP does), or write files.
//!
//! A settlement on which something is due is a credit note of the vendor to the partner; its reversal is one with
//! negative amounts that refers to it.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

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
    let mut xml = Xml(Writer::new_with_indent(Vec::new(), b' ', 2));
    let declaration = BytesDecl::new("1.0", Some("UTF-8"), None);
    xml.event(Event::Decl(declaration));
    xml.start("CreditNote", &NAMESPACES);
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
    xml.end("CreditNote");
    let mut bytes = xml.0.into_inner();
    bytes.push(b'\n');
    // every part was written from text
    String::from_utf8(bytes).unwrap_or_default()
}

/// Of the elements.
const NAMESPACES: [(&str, &str); 3] = [
    ("xmlns", "urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2"),
    (
        "xmlns:cac",
        "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    ),
    (
        "xmlns:cbc",
        "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
    ),
];

/// Elements in turn, escaped by the library.
struct Xml(Writer<Vec<u8>>);

impl Xml {
    fn event(&mut self, event: Event<'_>) {
        // writing to memory cannot fail
        let _ = self.0.write_event(event);
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.event(Event::Start(start));
    }

    fn end(&mut self, name: &str) {
        self.event(Event::End(BytesEnd::new(name)));
    }

    fn text(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.start(name, attributes);
        self.event(Event::Text(BytesText::new(&allowed(text))));
        self.end(name);
    }

    fn leaf(&mut self, name: &str, text: &str) {
        self.text(name, &[], text);
    }

    fn amount(&mut self, name: &str, amount: Money) {
        self.text(
            name,
            &[("currencyID", amount.currency().code())],
            &amount.dec().to_string(),
        );
    }

    fn within(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) {
        self.start(name, &[]);
        inside(self);
        self.end(name);
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

/// Without the characters that XML 1.0 forbids, white space as spaces.
fn allowed(text: &str) -> String {
    text.chars()
        .map(|c| if matches!(c, '\t' | '\n' | '\r') { ' ' } else { c })
        .filter(|c| !c.is_control() && !matches!(c, '\u{FFFE}' | '\u{FFFF}'))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Currency, Dec};

    #[test]
    fn text_cannot_leave_its_place() {
        let due = Money::exact(Dec::from(5), Currency::parse("EUR").unwrap()).unwrap();
        let party = |name: &str| Party {
            id: "P1".to_owned(),
            name: name.to_owned(),
            country: None,
        };
        let on = Date::from_ymd_opt(2026, 9, 30).unwrap();
        let xml = credit_note(&CreditNote {
            id: "S-1".to_owned(),
            issued_on: on,
            period: (on, on),
            notes: vec![],
            vendor: party("A & B <c> \"d\"\u{0}\u{B}\n]]>"),
            partner: party("<!-- x"),
            reverses: None,
            lines: vec![],
            due,
        });
        assert!(
            xml.contains("<cbc:Name>A &amp; B &lt;c&gt; &quot;d&quot; ]]&gt;</cbc:Name>"),
            "{xml}"
        );
        assert!(xml.contains("<cbc:Name>&lt;!-- x</cbc:Name>"));
        assert!(xml.contains("<cbc:PayableAmount currencyID=\"EUR\">5.00</cbc:PayableAmount>"));
    }
}
