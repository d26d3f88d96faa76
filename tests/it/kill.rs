//! `kill -9` at random moments: the next run needs no help, and the result is that of an undisturbed run.
//!
//! CI does a seeded ten. The whole campaign: `STARLEDGER_KILLS=200 cargo test kill_at`.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::{Workspace, ran_sample};

/// A seeded sequence of numbers, so that a failure can be repeated.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[test]
fn kill_at_random_moments() {
    let kills: u64 = std::env::var("STARLEDGER_KILLS")
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(10);
    let expected = ran_sample().release_hashes();
    let clean = Workspace::sample();
    let begin = Instant::now();
    clean.ok(&["run"]);
    let whole = begin.elapsed();
    let mut seeded = Seeded(kills);
    let (mut killed, mut died, mut round) = (0, 0, 0);
    while killed < kills {
        round += 1;
        let workspace = Workspace::sample();
        // one to three kills before the run that is left alone
        for _ in 0..=seeded.below(3) {
            let delay = Duration::from_micros(seeded.below(u64::try_from(whole.as_micros()).unwrap_or(u64::MAX)));
            let mut child = workspace
                .command(&["run"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the program starts");
            thread::sleep(delay);
            child.kill().expect("SIGKILL");
            let status = child.wait().expect("it ends");
            killed += 1;
            died += u64::from(!status.success());
        }
        workspace.ok(&["run"]);
        assert_eq!(workspace.release_hashes(), expected, "round {round}");
        workspace.ok(&["verify"]);
        let staging = workspace.warehouse().join("store/staging");
        assert_eq!(
            fs::read_dir(staging).map_or(0, Iterator::count),
            0,
            "staging is left over"
        );
    }
    let _ = writeln!(
        std::io::stderr(),
        "{killed} kills in {round} workspaces, {died} runs died of them, every result that of an undisturbed run"
    );
    assert!(died >= kills / 2, "the kills came too late: {died}");
}

/// The two moments that matter most, made by hand: the folder has its name and the run no record; the run has its
/// record and the pointer has not moved.
#[test]
fn killed_around_the_record() {
    let workspace = ran_sample();
    let current = workspace.warehouse().join("current");
    let first = fs::read_link(&current).expect("the pointer");
    workspace.write(
        "sample_data/finance/payments-late.csv",
        "payment_id,order_line_id,settlement_no,paid_on,amount,currency\nPAY-LATE-1,,S-1,2026-10-11,1.00,EUR\n",
    );
    workspace.ok(&["run"]);
    let second = fs::read_link(&current).expect("the pointer");
    let expected = workspace.release_hashes();
    let back = || {
        fs::remove_file(&current).expect("the pointer goes");
        std::os::unix::fs::symlink(&first, &current).expect("the pointer of before");
    };

    // no configuration to read, nothing to compute: only the pointer moves
    back();
    let configurations = workspace.path().join("landing/configurations");
    let aside = workspace.path().join("aside");
    fs::rename(&configurations, &aside).expect("they go");
    let ran = workspace.ok(&["run"]);
    assert!(!ran.stdout.contains("done again"), "{}", ran.stdout);
    assert_eq!(fs::read_link(&current).expect("the pointer"), second);
    assert_eq!(workspace.release_hashes(), expected);
    fs::remove_dir_all(&configurations).ok();
    fs::rename(&aside, &configurations).expect("they come back");
    workspace.ok(&["verify"]);

    // without a record the run has not happened; the next one does its work
    back();
    fs::remove_file(workspace.path().join("landing/runs/00000002.json")).expect("the record goes");
    let ran = workspace.ok(&["run"]);
    assert!(!ran.stdout.contains("done again"), "{}", ran.stdout);
    assert_eq!(workspace.release_hashes(), expected);
    workspace.ok(&["verify"]);
}
