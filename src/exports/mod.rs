//! The books for other tools.
//!
//! Duty: ledger, documents and statements in the forms that auditors, ERP systems and spreadsheets read. Must not: decide
//! what is booked, or write files.
//!
//! | form | from | step |
//! |---|---|---|
//! | plain-text journal with balance assertions | entries; balances added up beside them | `hledger`, `beancount` |
//! | journal for an ERP | entries, a chart of accounts | `erp` |
//! | credit notes, UBL 2.1 | documents, statements, partners | `ubl` |
//! | workbook for finance | all of it | `workbook` |

pub mod beancount;
pub mod erp;
pub mod hledger;
pub mod ubl;
pub mod workbook;
