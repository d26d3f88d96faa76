//! Publishing: what a partner gets to read.
//!
//! Duty: one frame per partner and period, filtered from the output tables and asserted to hold nobody else's rows;
//! the scorecard as text and HTML, and the hash of the data it shows. Not its duty: computing a score or an amount
//! (every figure is read from a table; the only arithmetic is adding up ledger entries), choosing recipients or
//! sending (`delivery`), files, clocks.
//!
//! | what is derived | from what | where |
//! |---|---|---|
//! | rows of each partner | the output tables | `inputs` |
//! | one partner's frame and its data hash | those rows | `frame`, `reader`, `money` |
//! | words, number and date forms | the catalogue of a language | `texts` |
//! | strings to show | frame and texts | `view`, `view_domains`, `view_money` |
//! | subject, text, HTML | strings and templates | `scorecard` |

pub mod frame;
pub mod inputs;
pub mod money;
pub mod palette;
mod reader;
pub mod scorecard;
pub mod texts;
mod view;
mod view_domains;
mod view_money;

#[cfg(test)]
pub mod fixture;

pub use frame::PartnerFrame;
pub use inputs::{PublishingError, PublishingInputs, PublishingTables};
pub use scorecard::{Scorecard, render};
pub use texts::Texts;
