//! How the C library's allocator keeps memory (mallopt(3)).

/// How many heaps the threads share.
#[cfg(target_env = "gnu")]
const HEAPS: libc::c_int = 2;

/// Has all threads share two heaps. glibc gives each thread one of its own, of which it touches some pages and gives
/// none back: a quarter of a MiB for the lanes of a small host. Two, so that the thread that scrapes and the one that
/// serves do not wait for each other. To be called before there are threads; other C libraries have no such heaps.
pub fn share_heaps() {
    #[cfg(target_env = "gnu")]
    // SAFETY: mallopt(3) takes two numbers and touches the allocator's own settings, under its lock. M_ARENA_MAX only
    // bounds what is made from then on; the result says whether the setting is known, and nothing depends on it.
    let _ = unsafe { libc::mallopt(libc::M_ARENA_MAX, HEAPS) };
}
