//! The heap of countersign's wasm. Of a page of 64 KiB, stack and data fill a third: the heap begins in what is left of it,
//! and memory grows when that is used up. Freed memory is wiped.
//!
//! A crate of its own, since this needs `unsafe`, and countersign has none.

#![no_std]
#![cfg(target_arch = "wasm32")]

use core::alloc::Layout;
use core::arch::wasm32::{memory_grow, memory_size};
use core::ptr::{NonNull, without_provenance_mut};
use talc::base::binning::Binning;
use talc::base::{CHUNK_UNIT, Talc};
use talc::cell::TalcSyncCell;
use talc::source::Source;
use talc::wasm::WasmBinning;
use zeroizing_alloc::ZeroAlloc;

const PAGE: usize = 1 << 16;

unsafe extern "C" {
    /// Where the linker has put nothing any more.
    static __heap_base: u8;
}

/// Where the heap ends, once it has begun.
#[derive(Debug)]
pub struct Pages(Option<NonNull<u8>>);

// SAFETY: it calls no allocator.
unsafe impl Source for Pages {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        talc.source.0 = if let Some(end) = talc.source.0 {
            let pages = (layout.size() + layout.align() + 2 * CHUNK_UNIT).div_ceil(PAGE);
            let before = memory_grow::<0>(pages);
            if before == usize::MAX {
                return Err(());
            }
            let new_end = without_provenance_mut((before + pages) * PAGE);
            // SAFETY: nobody else grows this memory, so the new pages follow on the heap, and are nobody's.
            Some(unsafe { talc.extend(end, new_end) })
        } else {
            // What is left may be too little for the books alone.
            let begun = begin(talc).or_else(|| {
                memory_grow::<0>(1);
                begin(talc)
            });
            Some(begun.ok_or(())?)
        };
        Ok(())
    }
}

fn begin<B: Binning>(talc: &mut Talc<Pages, B>) -> Option<NonNull<u8>> {
    let base = &raw const __heap_base;
    let size = memory_size::<0>() * PAGE - base.addr();
    // SAFETY: what lies between the linker's end and that of the memory is nobody's.
    unsafe { talc.claim(base.cast_mut(), size) }
}

/// For `#[global_allocator]`.
pub type Heap = ZeroAlloc<TalcSyncCell<Pages, WasmBinning>>;

/// A heap that has not begun.
#[must_use]
pub const fn heap() -> Heap {
    ZeroAlloc(TalcSyncCell::new_wasm(Pages(None)))
}
