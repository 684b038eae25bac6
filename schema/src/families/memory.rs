//! Memory and swap: first what means the same on every system, then what Linux counts in detail.
//!
//! Of the events that Linux counts (`/proc/vmstat`, some 150) those stand here that somebody is woken for or that
//! answer the question which comes next: is memory short (reclaim, and who does it), do programs wait for it
//! (stalls), is the working set larger than memory (refaults), is memory in pieces (compaction, fallbacks), do the
//! disks pay for it (paged in and out), and did somebody empty the caches.

use crate::unit::{Bytes, Count};
use crate::{Batch, families};

families! {
    /// Memory that the system can use.
    TOTAL: gauge<Bytes> = "host_memory_total_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Memory that programs could still get without swapping. In use is 1 - available / total, on every system.
    AVAILABLE: gauge<Bytes> = "host_memory_available_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Memory that is used for nothing.
    FREE: gauge<Bytes> = "host_memory_free_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Memory that holds file contents and can mostly be taken back: page cache, buffers and reclaimable slab
    /// without shared memory on Linux; file-backed and purgeable pages on macOS.
    CACHED: gauge<Bytes> = "host_memory_cached_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Memory of programs that has no file behind it, shared memory included.
    ANONYMOUS: gauge<Bytes> = "host_memory_anonymous_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Memory taken by compressed pages: zswap and zram on Linux, the compressor on macOS.
    COMPRESSED: gauge<Bytes> = "host_memory_compressed_bytes" {} on [Linux, Macos] since "0.1.0";

    /// What the compressed pages were before.
    COMPRESSED_ORIGINAL: gauge<Bytes> = "host_memory_compressed_original_bytes" {}
        on [Linux, Macos] since "0.1.0";

    /// Swap space. On macOS it grows and shrinks with use.
    SWAP_TOTAL: gauge<Bytes> = "host_swap_total_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Swap space in use.
    SWAP_USED: gauge<Bytes> = "host_swap_used_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Read back from swap.
    SWAP_READ: counter<Bytes> = "host_swap_read_bytes_total" {} on [Linux, Macos] since "0.1.0";

    /// Written to swap.
    SWAP_WRITTEN: counter<Bytes> = "host_swap_written_bytes_total" {} on [Linux, Macos] since "0.1.0";

    /// Page faults: minor ones found the page in memory, major ones had to read it.
    PAGE_FAULTS: counter<Count> = "host_memory_page_faults_total" { severity } on [Linux] since "0.1.0";

    /// How often the kernel killed a process because memory ran out.
    OOM_KILLS: counter<Count> = "host_memory_oom_kills_total" {} on [Linux] since "0.1.0";

    /// Read from block devices, be it for files, for swap or past the page cache.
    PAGED_IN: counter<Bytes> = "host_memory_paged_in_bytes_total" {} on [Linux] since "0.1.0";

    /// Written to block devices, be it for files, for swap or past the page cache.
    PAGED_OUT: counter<Bytes> = "host_memory_paged_out_bytes_total" {} on [Linux] since "0.1.0";

    /// Pages that were looked at to take memory back, by who looked: kswapd in the background, direct for a task
    /// that waits, khugepaged for huge pages, proactive for user space that asked.
    RECLAIM_SCANNED: counter<Count> = "host_memory_reclaim_scanned_pages_total" { by } on [Linux] since "0.1.0";

    /// Pages that were taken back, by who took them. Where it is far below what was scanned, little is left that
    /// can be taken.
    RECLAIM_STOLEN: counter<Count> = "host_memory_reclaim_stolen_pages_total" { by } on [Linux] since "0.1.0";

    /// How often a task that wanted memory had to take some back itself first: programs wait for memory.
    ALLOCATION_STALLS: counter<Count> = "host_memory_allocation_stalls_total" {} on [Linux] since "0.1.0";

    /// Pages that were wanted again after they had been taken back: anon (from swap) or file. A steady rate says
    /// that what programs work on does not fit into memory. Kernels before 5.9 count file only.
    REFAULTS: counter<Count> = "host_memory_refaults_total" { kind } on [Linux] since "0.1.0";

    /// How often a task that wanted contiguous memory had to move pages together itself first.
    COMPACTION_STALLS: counter<Count> = "host_memory_compaction_stalls_total" {} on [Linux] since "0.1.0";

    /// Page faults that should have got a huge page and got small ones: memory is in pieces, or short.
    HUGE_PAGE_FAULT_FALLBACKS: counter<Count> = "host_memory_huge_page_fault_fallbacks_total" {}
        on [Linux] since "0.1.0";

    /// How often somebody had the kernel empty its caches (vm.drop_caches), by kind: page_cache or slab. Disks are
    /// busy after it.
    DROP_CACHES: counter<Count> = "host_memory_drop_caches_total" { kind } on [Linux] since "0.1.0";

    /// Page cache (Cached of meminfo), shared memory included.
    PAGE_CACHE: gauge<Bytes> = "host_memory_page_cache_bytes" {} on [Linux] since "0.1.0";

    /// Cached blocks of raw disks.
    BUFFERS: gauge<Bytes> = "host_memory_buffers_bytes" {} on [Linux] since "0.1.0";

    /// Shared memory and tmpfs.
    SHMEM: gauge<Bytes> = "host_memory_shmem_bytes" {} on [Linux] since "0.1.0";

    /// Pages of programs that have no file behind them and are mapped.
    ANON_PAGES: gauge<Bytes> = "host_memory_anon_pages_bytes" {} on [Linux] since "0.1.0";

    /// Swap space that is free.
    SWAP_FREE: gauge<Bytes> = "host_memory_swap_free_bytes" {} on [Linux] since "0.1.0";

    /// Memory that was read back from swap and still stands there too.
    SWAP_CACHED: gauge<Bytes> = "host_memory_swap_cached_bytes" {} on [Linux] since "0.1.0";

    /// Memory used more recently.
    ACTIVE: gauge<Bytes> = "host_memory_active_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Memory used less recently.
    INACTIVE: gauge<Bytes> = "host_memory_inactive_bytes" {} on [Linux, Macos] since "0.1.0";

    /// Memory without a file behind it, used more recently.
    ACTIVE_ANON: gauge<Bytes> = "host_memory_active_anon_bytes" {} on [Linux] since "0.1.0";

    /// Memory without a file behind it, used less recently.
    INACTIVE_ANON: gauge<Bytes> = "host_memory_inactive_anon_bytes" {} on [Linux] since "0.1.0";

    /// File contents used more recently.
    ACTIVE_FILE: gauge<Bytes> = "host_memory_active_file_bytes" {} on [Linux] since "0.1.0";

    /// File contents used less recently.
    INACTIVE_FILE: gauge<Bytes> = "host_memory_inactive_file_bytes" {} on [Linux] since "0.1.0";

    /// Memory that cannot be taken back.
    UNEVICTABLE: gauge<Bytes> = "host_memory_unevictable_bytes" {} on [Linux] since "0.1.0";

    /// Memory that programs locked by mlock(2).
    MLOCKED: gauge<Bytes> = "host_memory_mlocked_bytes" {} on [Linux] since "0.1.0";

    /// Memory that a 32-bit kernel does not map all the time.
    HIGH: gauge<Bytes> = "host_memory_high_size_bytes" {} on [Linux] since "0.1.0";

    /// Free part of the memory that a 32-bit kernel does not map all the time.
    HIGH_FREE: gauge<Bytes> = "host_memory_high_free_bytes" {} on [Linux] since "0.1.0";

    /// Memory that a 32-bit kernel maps all the time.
    LOW: gauge<Bytes> = "host_memory_low_size_bytes" {} on [Linux] since "0.1.0";

    /// Free part of the memory that a 32-bit kernel maps all the time.
    LOW_FREE: gauge<Bytes> = "host_memory_low_free_bytes" {} on [Linux] since "0.1.0";

    /// Memory taken by zswap's compressed pages.
    ZSWAP: gauge<Bytes> = "host_memory_zswap_bytes" {} on [Linux] since "0.1.0";

    /// What zswap's pages were before.
    ZSWAPPED: gauge<Bytes> = "host_memory_zswapped_bytes" {} on [Linux] since "0.1.0";

    /// Memory that waits to be written to disk.
    DIRTY: gauge<Bytes> = "host_memory_dirty_bytes" {} on [Linux] since "0.1.0";

    /// Memory that is being written to disk.
    WRITEBACK: gauge<Bytes> = "host_memory_writeback_bytes" {} on [Linux] since "0.1.0";

    /// Memory that FUSE uses for writing.
    WRITEBACK_TMP: gauge<Bytes> = "host_memory_writeback_tmp_bytes" {} on [Linux] since "0.1.0";

    /// Files that are mapped.
    MAPPED: gauge<Bytes> = "host_memory_mapped_bytes" {} on [Linux] since "0.1.0";

    /// Kernel memory that can be taken back: reclaimable slab and more.
    KERNEL_RECLAIMABLE: gauge<Bytes> = "host_memory_kernel_reclaimable_bytes" {} on [Linux] since "0.1.0";

    /// The kernel's slab caches.
    SLAB: gauge<Bytes> = "host_memory_slab_bytes" {} on [Linux] since "0.1.0";

    /// Slab caches that can be taken back.
    SLAB_RECLAIMABLE: gauge<Bytes> = "host_memory_slab_reclaimable_bytes" {} on [Linux] since "0.1.0";

    /// Slab caches that cannot be taken back.
    SLAB_UNRECLAIMABLE: gauge<Bytes> = "host_memory_slab_unreclaimable_bytes" {} on [Linux] since "0.1.0";

    /// The kernel's stacks.
    KERNEL_STACK: gauge<Bytes> = "host_memory_kernel_stack_bytes" {} on [Linux] since "0.1.0";

    /// Shadow call stacks.
    SHADOW_CALL_STACK: gauge<Bytes> = "host_memory_shadow_call_stack_bytes" {} on [Linux] since "0.1.0";

    /// Page tables.
    PAGE_TABLES: gauge<Bytes> = "host_memory_page_tables_bytes" {} on [Linux] since "0.1.0";

    /// Secondary page tables: of KVM and of IOMMUs.
    SECONDARY_PAGE_TABLES: gauge<Bytes> = "host_memory_secondary_page_tables_bytes" {} on [Linux] since "0.1.0";

    /// Free page tables that the kernel keeps at hand. Gone since Linux 5.4.
    QUICKLISTS: gauge<Bytes> = "host_memory_quicklists_bytes" {} on [Linux] since "0.1.0";

    /// NFS pages that were sent and are not yet safe on the server. Always 0 since Linux 5.8.
    NFS_UNSTABLE: gauge<Bytes> = "host_memory_nfs_unstable_bytes" {} on [Linux] since "0.1.0";

    /// Bounce buffers for devices that cannot reach all memory.
    BOUNCE: gauge<Bytes> = "host_memory_bounce_bytes" {} on [Linux] since "0.1.0";

    /// How much may be promised to programs under strict overcommit.
    COMMIT_LIMIT: gauge<Bytes> = "host_memory_commit_limit_bytes" {} on [Linux] since "0.1.0";

    /// How much was promised to programs.
    COMMITTED: gauge<Bytes> = "host_memory_committed_bytes" {} on [Linux] since "0.1.0";

    /// Address space for vmalloc.
    VMALLOC_TOTAL: gauge<Bytes> = "host_memory_vmalloc_space_bytes" {} on [Linux] since "0.1.0";

    /// Memory allocated by vmalloc.
    VMALLOC_USED: gauge<Bytes> = "host_memory_vmalloc_used_bytes" {} on [Linux] since "0.1.0";

    /// Largest free part of the space for vmalloc. Always 0 since Linux 4.4.
    VMALLOC_CHUNK: gauge<Bytes> = "host_memory_vmalloc_chunk_bytes" {} on [Linux] since "0.1.0";

    /// Per-CPU data of the kernel.
    PERCPU: gauge<Bytes> = "host_memory_percpu_bytes" {} on [Linux] since "0.1.0";

    /// Memory that the test at boot (memtest=) found faulty; where no test ran, absent.
    EARLY_MEMTEST_BAD: gauge<Bytes> = "host_memory_early_memtest_bad_bytes" {} on [Linux] since "0.1.0";

    /// Memory that the hardware found faulty and that is out of use.
    HARDWARE_CORRUPTED: gauge<Bytes> = "host_memory_hardware_corrupted_bytes" {} on [Linux] since "0.1.0";

    /// Transparent huge pages of programs.
    ANON_HUGE_PAGES: gauge<Bytes> = "host_memory_anon_huge_pages_bytes" {} on [Linux] since "0.1.0";

    /// Transparent huge pages of shared memory and tmpfs.
    SHMEM_HUGE_PAGES: gauge<Bytes> = "host_memory_shmem_huge_pages_bytes" {} on [Linux] since "0.1.0";

    /// Shared memory that is mapped by huge pages.
    SHMEM_PMD_MAPPED: gauge<Bytes> = "host_memory_shmem_pmd_mapped_bytes" {} on [Linux] since "0.1.0";

    /// Transparent huge pages of files.
    FILE_HUGE_PAGES: gauge<Bytes> = "host_memory_file_huge_pages_bytes" {} on [Linux] since "0.1.0";

    /// Files that are mapped by huge pages.
    FILE_PMD_MAPPED: gauge<Bytes> = "host_memory_file_pmd_mapped_bytes" {} on [Linux] since "0.1.0";

    /// The area for contiguous allocations.
    CMA_TOTAL: gauge<Bytes> = "host_memory_cma_size_bytes" {} on [Linux] since "0.1.0";

    /// Free part of the area for contiguous allocations.
    CMA_FREE: gauge<Bytes> = "host_memory_cma_free_bytes" {} on [Linux] since "0.1.0";

    /// Memory that is not yet accepted from the hypervisor (confidential guests).
    UNACCEPTED: gauge<Bytes> = "host_memory_unaccepted_bytes" {} on [Linux] since "0.1.0";

    /// Memory that was given back to the hypervisor by a balloon driver.
    BALLOON: gauge<Bytes> = "host_memory_balloon_bytes" {} on [Linux] since "0.1.0";

    /// System memory that GPU drivers hold for their objects.
    GPU_ACTIVE: gauge<Bytes> = "host_memory_gpu_active_bytes" {} on [Linux] since "0.1.0";

    /// System memory that GPU drivers keep in pools and can give back.
    GPU_RECLAIMABLE: gauge<Bytes> = "host_memory_gpu_reclaimable_bytes" {} on [Linux] since "0.1.0";

    /// Memory set aside for huge pages of all sizes.
    HUGETLB: gauge<Bytes> = "host_memory_hugetlb_bytes" {} on [Linux] since "0.1.0";

    /// The default size of one huge page.
    HUGE_PAGE: gauge<Bytes> = "host_memory_huge_page_bytes" {} on [Linux] since "0.1.0";

    /// The pool of huge pages of the default size.
    HUGE_PAGES_SIZE: gauge<Bytes> = "host_memory_huge_pages_size_bytes" {} on [Linux] since "0.1.0";

    /// Huge pages of the pool that are free.
    HUGE_PAGES_FREE: gauge<Bytes> = "host_memory_huge_pages_free_bytes" {} on [Linux] since "0.1.0";

    /// Huge pages of the pool that are promised and not yet used.
    HUGE_PAGES_RESERVED: gauge<Bytes> = "host_memory_huge_pages_reserved_bytes" {} on [Linux] since "0.1.0";

    /// Huge pages beyond the pool's set size.
    HUGE_PAGES_SURPLUS: gauge<Bytes> = "host_memory_huge_pages_surplus_bytes" {} on [Linux] since "0.1.0";

    /// Memory that the kernel maps by 4 KiB pages.
    DIRECT_MAP_4K: gauge<Bytes> = "host_memory_direct_map_4k_bytes" {} on [Linux] since "0.1.0";

    /// Memory that the kernel maps by 64 KiB pages.
    DIRECT_MAP_64K: gauge<Bytes> = "host_memory_direct_map_64k_bytes" {} on [Linux] since "0.1.0";

    /// Memory that the kernel maps by 1 MiB pages.
    DIRECT_MAP_1M: gauge<Bytes> = "host_memory_direct_map_1m_bytes" {} on [Linux] since "0.1.0";

    /// Memory that the kernel maps by 2 MiB pages.
    DIRECT_MAP_2M: gauge<Bytes> = "host_memory_direct_map_2m_bytes" {} on [Linux] since "0.1.0";

    /// Memory that the kernel maps by 4 MiB pages.
    DIRECT_MAP_4M: gauge<Bytes> = "host_memory_direct_map_4m_bytes" {} on [Linux] since "0.1.0";

    /// Memory that the kernel maps by 1 GiB pages.
    DIRECT_MAP_1G: gauge<Bytes> = "host_memory_direct_map_1g_bytes" {} on [Linux] since "0.1.0";

    /// Memory that the kernel maps by 2 GiB pages.
    DIRECT_MAP_2G: gauge<Bytes> = "host_memory_direct_map_2g_bytes" {} on [Linux] since "0.1.0";
}

/// Memory in the words that every system shares; None where this one does not tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Memory {
    /// [`TOTAL`].
    pub total: Option<Bytes>,
    /// [`AVAILABLE`].
    pub available: Option<Bytes>,
    /// [`FREE`].
    pub free: Option<Bytes>,
    /// [`CACHED`].
    pub cached: Option<Bytes>,
    /// [`ANONYMOUS`].
    pub anonymous: Option<Bytes>,
    /// [`COMPRESSED`].
    pub compressed: Option<Bytes>,
    /// [`COMPRESSED_ORIGINAL`].
    pub compressed_original: Option<Bytes>,
    /// [`SWAP_TOTAL`].
    pub swap_total: Option<Bytes>,
    /// [`SWAP_USED`].
    pub swap_used: Option<Bytes>,
}

impl Memory {
    /// The only writer of the gauges that every system shares.
    pub fn put(self, out: &mut Batch) {
        let gauges = [
            (&TOTAL, self.total),
            (&AVAILABLE, self.available),
            (&FREE, self.free),
            (&CACHED, self.cached),
            (&ANONYMOUS, self.anonymous),
            (&COMPRESSED, self.compressed),
            (&COMPRESSED_ORIGINAL, self.compressed_original),
            (&SWAP_TOTAL, self.swap_total),
            (&SWAP_USED, self.swap_used),
        ];
        for (family, bytes) in gauges {
            if let Some(bytes) = bytes {
                out.put(family, [], bytes);
            }
        }
    }
}

/// What the kernel counts about memory since boot, of what has no table; None where it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Activity {
    /// [`SWAP_READ`].
    pub swap_read: Option<Bytes>,
    /// [`SWAP_WRITTEN`].
    pub swap_written: Option<Bytes>,
    /// Faults that found the page in memory.
    pub minor_faults: Option<Count>,
    /// Faults that had to read the page.
    pub major_faults: Option<Count>,
    /// [`OOM_KILLS`].
    pub oom_kills: Option<Count>,
}

impl Activity {
    /// The only writer of these counters.
    pub fn put(self, out: &mut Batch) {
        if let Some(read) = self.swap_read {
            out.put(&SWAP_READ, [], read);
        }
        if let Some(written) = self.swap_written {
            out.put(&SWAP_WRITTEN, [], written);
        }
        if let Some(minor) = self.minor_faults {
            out.put(&PAGE_FAULTS, ["minor"], minor);
        }
        if let Some(major) = self.major_faults {
            out.put(&PAGE_FAULTS, ["major"], major);
        }
        if let Some(kills) = self.oom_kills {
            out.put(&OOM_KILLS, [], kills);
        }
    }
}
