//! What a question takes of memory, once its buffers are there.

use super::{GPU, machine};
use nvidia::{Driver, Field, Number, Owner};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// The system's, which counts for each thread. The library that plays has an allocator of its own.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call is the system allocator's, with what it was called with; a counter without a destructor, which
// allocates nothing, is raised before.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.set(TAKEN.get() + 1);
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[test]
fn a_question_asked_again_takes_no_memory() {
    let (_staged, nvml) = machine(
        &[
            ("count", "1"),
            ("number/0/power", "1000"),
            ("number/0/gpm-support", "1"),
            ("memory/0", "total=100 reserved=1 free=60 used=39"),
            ("processes/0/compute", "pid=1 used=10\npid=2 used=20"),
            ("field/0/191/0", "7"),
            ("gpm/0/2", "50.0"),
        ],
        "",
    );
    let fields = [191, 82, 271].map(|id| Field { id, scope: 0 });
    let (mut values, mut found, mut metrics) = (Vec::new(), Vec::new(), Vec::new());
    let (mut events, mut before) = (Vec::new(), 0);
    for pass in 0..5 {
        values.clear();
        found.clear();
        metrics.clear();
        if pass == 2 {
            before = TAKEN.get();
        }
        nvml.number(GPU, Number::Power).unwrap();
        nvml.memory(GPU).unwrap();
        nvml.fields(0, &fields, &mut values).unwrap();
        nvml.processes(GPU, Owner::Compute, &mut found).unwrap();
        nvml.gpm_sample(GPU, pass % 2).unwrap();
        nvml.events(&mut events).unwrap();
        if pass > 0 {
            nvml.gpm(GPU, 1 - pass % 2, pass % 2, &[2], &mut metrics).unwrap();
        }
    }
    assert!(before > 0);
    assert_eq!(TAKEN.get(), before);
}
