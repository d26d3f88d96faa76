//! The edges: clock, files, mail. The only room that touches the world.
//!
//! Duty: one module for each kind of effect, so that everything else can be given a value instead. Not its duty:
//! decisions; nothing here knows rules, tables or periods.

pub mod child;
pub mod clock;
pub mod files;
pub mod mail;
pub mod outside;
pub mod scratch;
