//! The same work on many items, side by side.
//!
//! Duty: results in the order of the items, whatever the number of threads. Not its duty: what the work is; it must not
//! depend on anything but its item.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Fewer items than this are not worth a thread.
const LEAST_ITEMS: usize = 64;

/// Parts of the items for each lane: one that is held up leaves its next parts to the others.
const PARTS_PER_LANE: usize = 16;

/// Works on every item; the results are in the order of the items.
pub fn each_of<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let lanes = thread::available_parallelism().map_or(1, NonZero::get);
    if lanes == 1 || items.len() < LEAST_ITEMS {
        return items.iter().map(work).collect();
    }
    let parts: Vec<&[T]> = items.chunks(items.len().div_ceil(lanes * PARTS_PER_LANE)).collect();
    let next = AtomicUsize::new(0);
    let lane = || {
        let mut done = Vec::new();
        loop {
            let turn = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(turn) else { return done };
            done.push((turn, part.iter().map(&work).collect::<Vec<R>>()));
        }
    };
    let mut done = thread::scope(|scope| {
        let running: Vec<_> = (1..lanes).map(|_| scope.spawn(lane)).collect();
        let mut done = lane();
        for lane in running {
            // a panic of the work is the caller's
            done.extend(lane.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(turn, _)| *turn);
    let mut results = Vec::with_capacity(items.len());
    results.extend(done.into_iter().flat_map(|(_, results)| results));
    results
}

/// Two works side by side.
pub fn both<A: Send, B: Send>(first: impl FnOnce() -> A + Send, second: impl FnOnce() -> B + Send) -> (A, B) {
    thread::scope(|scope| {
        let running = scope.spawn(first);
        let second = second();
        let first = running.join();
        (first.unwrap_or_else(|panic| std::panic::resume_unwind(panic)), second)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        for n in [0, 1, 63, 64, 65, 1000] {
            let items: Vec<usize> = (0..n).collect();
            assert_eq!(
                each_of(&items, |i| i * 2),
                items.iter().map(|i| i * 2).collect::<Vec<_>>()
            );
        }
    }
}
