//! The command line: the only room that prints.
//!
//! Duty: what was typed → what it means → one command; errors with kind, place and remedy; exit codes. One file per
//! command. Not its duty: doing the work (`pipeline`).

mod check;
mod check_mail;
mod claims;
mod diff;
mod discounts;
mod events;
mod explain;
mod explain_rebate;
mod export;
mod foreign;
mod gc;
mod init;
mod outbox;
mod output;
mod person;
mod plan;
mod progress;
mod quarantine;
mod query;
mod recompute;
mod report;
mod review;
mod rules;
mod run;
mod sample;
mod serve;
mod settle;
mod settlements;
mod show;
mod simulate;
mod source;
mod status;
mod test;
mod verify;
mod what_if;

use std::path::PathBuf;
use std::process::ExitCode as ProcessExit;

use clap::{Parser, Subcommand};

use crate::pipeline::PipelineError;
use crate::pipeline::error::ExitCode;
use crate::store::layout::Layout;

use output::Output;

/// Service-partner evaluation and rebate settlement.
#[derive(Debug, Parser)]
#[command(name = "starledger", version, about, max_term_width = 100)]
struct Args {
    /// Folder that holds pipelines/, schemas/ and the inbox; landing/ and warehouse/ are made in it.
    #[arg(
        long,
        global = true,
        default_value = ".",
        env = "STARLEDGER_WORKSPACE",
        overrides_with = "workspace"
    )]
    workspace: PathBuf,
    /// Print JSON instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Log level of the lines on standard error: error, warn, info, debug.
    #[arg(long, global = true, default_value = "warn", env = "STARLEDGER_LOG")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new workspace with the sample programme's rules, contracts and measures.
    Init(init::Args),
    /// Check rules, contracts, sources, measures and jobs; every finding at once.
    Check(check::Args),
    /// Compute the worked examples of the metrics and compare them with what they expect.
    Test(test::Args),
    /// Say what a run would do, why, and what it would book; change nothing.
    Plan(plan::Args),
    /// Run a job: take in what arrived, publish a release, deliver mail.
    Run(run::Args),
    /// Run the jobs by their schedules until stopped.
    Serve(serve::Args),
    /// Show the current release, its tables and the last runs.
    Status(status::Args),
    /// Ask the current release in SQL.
    Query(query::Args),
    /// Look at rejected records, correct them in a sheet, and deliver them anew.
    Quarantine(quarantine::Args),
    /// Decide on key events and findings: confirm, reject, appeal, withdraw.
    Events(events::Args),
    /// Look at certification reviews and decide on them; improvement plans.
    Review(review::Args),
    /// Write a period as pages with pictures that open from disk, with a page for each partner and a catalogue of tables.
    Report(report::Args),
    /// Show sales whose discount is not the one that tier or stars allowed, and what it amounts to.
    Discounts(discounts::Args),
    /// Look at claims on funds; approve, reject, or take a ruling back.
    Claims(claims::Args),
    /// Look at messages and what became of them; approve, hold, send, send once more.
    Outbox(outbox::Args),
    /// Try the way that mail takes, step by step, without sending any.
    CheckMail(check_mail::Args),
    /// Show what a posting period would settle and why; record that it is prepared.
    Settle(settle::SettleArgs),
    /// Approve a prepared settlement by its hash, or withdraw the approval; never by whoever prepared it.
    Approve(settle::ApproveArgs),
    /// Close a posting period with the settlement that was approved; the next run issues its documents.
    Close(settle::CloseArgs),
    /// Look at settlement documents and periods; reverse a document.
    Settlements(settlements::Args),
    /// Derive a score down to the rows of the source files.
    Explain(explain::Args),
    /// Propose a source for a file, for a person to confirm.
    Source(source::Args),
    /// Show the rules of a region on a day with their origin, or what differs between two rule books.
    Rules(rules::Args),
    /// Evaluate real periods with other rules: who would move, what it would cost; changes nothing.
    Simulate(simulate::Args),
    /// Rank what a partner could do by its effect on points, grade and money.
    WhatIf(what_if::Args),
    /// Print resolved rules with their origin, or the folder of a release.
    Show(show::Args),
    /// Check every byte of every release, the originals, the ledger's chain and the invariants.
    Verify(verify::Args),
    /// Show what changed from one release to another: files, cards, money with the reason, postings, documents, rules.
    Diff(diff::Args),
    /// Make a past release again from landing, beside the workspace, and compare it byte for byte.
    Recompute(recompute::Args),
    /// Export the books: journals for hledger, beancount or an ERP, a workbook, credit notes in UBL.
    Export(export::Args),
    /// Remove old releases; the current one, its latest ancestors and those that closed a period stay.
    Gc(gc::Args),
    /// Write sample data of any size.
    Sample(sample::Args),
    /// Take a workbook or a Parquet file apart; the program runs it for itself.
    #[command(hide = true)]
    ReadForeign(foreign::Args),
}

/// What commands share.
struct Session {
    layout: Layout,
    output: Output,
}

type CommandResult = Result<(), PipelineError>;

/// Parses the arguments and runs the command.
pub fn main() -> ProcessExit {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(e) => {
            let _ = e.print();
            let code = if e.use_stderr() {
                ExitCode::Usage
            } else {
                ExitCode::Done
            };
            return ProcessExit::from(code as u8);
        }
    };
    start_log(&args.log);
    let session = Session {
        layout: Layout::new(&args.workspace),
        output: Output { json: args.json },
    };
    let result = match &args.command {
        Command::Init(a) => init::init(&session, a),
        Command::Check(a) => check::check(&session, a),
        Command::Test(a) => test::test(&session, a),
        Command::Plan(a) => plan::plan(&session, a),
        Command::Run(a) => run::run(&session, a),
        Command::Serve(a) => serve::serve(&session, a),
        Command::Status(a) => status::status(&session, a),
        Command::Query(a) => query::query(&session, a),
        Command::Quarantine(a) => quarantine::quarantine(&session, a),
        Command::Events(a) => events::events(&session, a),
        Command::Review(a) => review::review(&session, a),
        Command::Outbox(a) => outbox::outbox(&session, a),
        Command::CheckMail(a) => check_mail::check_mail(&session, a),
        Command::Settle(a) => settle::settle(&session, a),
        Command::Approve(a) => settle::approve(&session, a),
        Command::Close(a) => settle::close(&session, a),
        Command::Report(a) => report::report(&session, a),
        Command::Discounts(a) => discounts::discounts(&session, a),
        Command::Claims(a) => claims::claims(&session, a),
        Command::Settlements(a) => settlements::settlements(&session, a),
        Command::Explain(a) => explain::explain(&session, a),
        Command::Source(a) => source::source(&session, a),
        Command::Rules(a) => rules::rules(&session, a),
        Command::Simulate(a) => simulate::simulate(&session, a),
        Command::WhatIf(a) => what_if::what_if(&session, a),
        Command::Show(a) => show::show(&session, a),
        Command::Verify(a) => verify::verify(&session, a),
        Command::Diff(a) => diff::diff(&session, a),
        Command::Recompute(a) => recompute::recompute(&session, a),
        Command::Export(a) => export::export(&session, a),
        Command::Gc(a) => gc::gc(&session, a),
        Command::Sample(a) => sample::sample(&session, a),
        Command::ReadForeign(a) => foreign::read_foreign(a),
    };
    match result {
        Ok(()) => ProcessExit::SUCCESS,
        Err(e) => {
            session.output.error(&e);
            ProcessExit::from(e.exit_code() as u8)
        }
    }
}

/// Structured lines on standard error, one event a line.
fn start_log(level: &str) {
    let filter = tracing_subscriber::EnvFilter::try_new(format!("starledger={level}"))
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("starledger=warn"));
    let _ = tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
}
