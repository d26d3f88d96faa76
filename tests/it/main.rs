//! The one integration-test binary: the program as a user runs it, against real outside tools.

mod architecture;
mod arrival;
mod bad_input;
mod closing;
mod contracts;
mod delivered;
mod detect;
mod determinism;
mod differential;
mod events;
mod explaining;
mod faults;
mod first_light;
mod freshness;
mod journal;
mod kept;
mod kill;
mod mail;
mod measures;
mod operations;
mod programme;
mod quarantine;
mod rules;
mod support;
mod verify;
mod versions;
