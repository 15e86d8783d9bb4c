//! How much memory decoding takes, and how much it may: the system's allocator, counted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// Runs `work` and returns how many bytes it held at most, besides what was there before.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = CURRENT.get();
    PEAK.set(before);
    let result = work();
    (result, usize::try_from(PEAK.get() - before).unwrap_or(0))
}

/// Bytes of memory that decoding a message of this type and size may take.
///
/// A factor is what the shortest item costs that is allowed: its structure, and the vector out of which that
/// moves when the vector grows. Only clients decode answers.
pub(crate) fn share(kind: &str, input: usize) -> usize {
    // For the message of an error, and what is taken in advance.
    const BASE: usize = 16 * 1024;
    let is_answer = ["Result", "Resp", "ServerMsg"].iter().any(|part| kind.contains(part));
    if is_answer { BASE + input * 72 } else { BASE + input * 40 }
}

thread_local! {
    /// Bytes allocated by this thread; below zero where it freed what another had allocated.
    static CURRENT: Cell<isize> = const { Cell::new(0) };
    static PEAK: Cell<isize> = const { Cell::new(0) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(bytes: usize, sign: isize) {
    let current = CURRENT.get() + sign * isize::try_from(bytes).unwrap_or(0);
    CURRENT.set(current);
    PEAK.set(PEAK.get().max(current));
}

// SAFETY: everything is left to `System`; counting changes nothing about the memory.
#[expect(unsafe_code, reason = "an allocator is unsafe to write")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(layout.size(), -1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(pointer, layout) }
    }

    // What is large the system moves by its page table, so that old and new never take memory together.
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(layout.size(), -1);
        count(size, 1);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
