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
