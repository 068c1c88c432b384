//! The same work for many items, on all cores.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Items that one core takes at a time: neighbours in an inventory have much in common.
const CHUNK: usize = 8;

/// The results of `work` in the order of the items. Each worker keeps a state of its own from item to item.
pub fn each<'i, I: Sync, T: Send, S: Default>(
    items: &'i [I],
    work: impl Fn(&mut S, &'i I) -> T + Sync,
) -> Vec<T> {
    in_chunks(CHUNK, items, work)
}

/// The same for few items of which each is much work.
pub fn each_large<'i, I: Sync, T: Send>(
    items: &'i [I],
    work: impl Fn(&'i I) -> T + Sync,
) -> Vec<T> {
    in_chunks(1, items, |(), item| work(item))
}

fn in_chunks<'i, I: Sync, T: Send, S: Default>(
    chunk: usize,
    items: &'i [I],
    work: impl Fn(&mut S, &'i I) -> T + Sync,
) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(items.len().div_ceil(chunk));
    if threads < 2 {
        let mut state = S::default();
        return items.iter().map(|item| work(&mut state, item)).collect();
    }
    let chunks: Vec<&'i [I]> = items.chunks(chunk).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        let at = next.fetch_add(1, Ordering::Relaxed);
        Some((at, *chunks.get(at)?))
    };
    let run = || {
        let mut done: Vec<(usize, Vec<T>)> = Vec::new();
        let mut state = S::default();
        while let Some((at, chunk)) = take() {
            let results = chunk.iter().map(|item| work(&mut state, item));
            done.push((at, results.collect()));
        }
        done
    };
    let mut done: Vec<(usize, Vec<T>)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        let joined = workers.into_iter().map(|worker| {
            worker
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        joined.flatten().collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().flat_map(|(_, results)| results).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        let doubled: Vec<usize> = items.iter().map(|n| n * 2).collect();
        assert_eq!(each(&items, |(), n| n * 2), doubled);
        assert!(each(&Vec::<usize>::new(), |(), n| n * 2).is_empty());
    }
}
