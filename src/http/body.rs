//! Encoded bodies: one per snapshot and kind of request, however many requests share it, in buffers from a pool.
//!
//! A body is [`Bytes`] over a buffer that comes home when its last reader is done. So a slow reader holds one
//! buffer, not the encoder's, and the next scrape is encoded into another.

use super::query::NameSet;
use crate::exposition::{Encoder, Format, Gzip};
use crate::snapshot::{Collectors, Snapshot};
use bytes::Bytes;
use schema::alias::Dialect;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

/// A body up to this size is sent as it is: compressing costs more than it saves.
const GZIP_OVER: usize = 8 * 1024;

/// How many bodies of one snapshot are kept. A client chooses its filter, so it chooses how many there are.
const KEPT: usize = 16;

/// How many bytes of bodies are kept, the newest always.
const KEPT_BYTES: usize = 8 << 20;

/// How many idle buffers are kept.
const SPARE: usize = 2;

/// What tells one body of a snapshot from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) collectors: Collectors,
    pub(super) names: NameSet,
    pub(super) format: Format,
    /// The client takes gzip; whether it gets it is for the size to say.
    pub(super) gzip: bool,
}

/// A body, ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Encoded {
    pub(super) bytes: Bytes,
    pub(super) gzipped: bool,
}

/// Encodes, and keeps what it encoded of the newest snapshot.
#[derive(Debug)]
pub(super) struct Bodies {
    dialects: &'static [Dialect],
    encoder: Encoder,
    gzip: Gzip,
    texts: Pool<String>,
    archives: Pool<Vec<u8>>,
    /// The serial number of the snapshot that `kept` is of. Not the snapshot: the core reuses its memory.
    of: Option<u64>,
    kept: VecDeque<(Kind, Encoded)>,
}

impl Bodies {
    pub(super) fn new(dialects: &'static [Dialect]) -> Bodies {
        Bodies {
            dialects,
            encoder: Encoder::default(),
            gzip: Gzip::default(),
            texts: Pool::default(),
            archives: Pool::default(),
            of: None,
            kept: VecDeque::new(),
        }
    }

    /// The body of this kind of this snapshot.
    pub(super) fn body(&mut self, snapshot: &Arc<Snapshot>, kind: Kind) -> Encoded {
        if self.of != Some(snapshot.serial) {
            // Before encoding, so that the buffers of the last snapshot can be had for this one.
            self.kept.clear();
            self.of = Some(snapshot.serial);
        }
        if let Some(known) = self.known(kind) {
            return known;
        }
        let encoded = if kind.gzip {
            let identity = Kind { gzip: false, ..kind };
            let plain = self.known(identity).unwrap_or_else(|| self.encode(snapshot, kind));
            self.compressed(plain)
        } else {
            self.encode(snapshot, kind)
        };
        self.keep(kind, encoded.clone());
        encoded
    }

    fn known(&self, kind: Kind) -> Option<Encoded> {
        self.kept.iter().find(|(known, _)| *known == kind).map(|(_, encoded)| encoded.clone())
    }

    fn keep(&mut self, kind: Kind, encoded: Encoded) {
        self.kept.push_back((kind, encoded));
        let size = |kept: &VecDeque<(Kind, Encoded)>| kept.iter().map(|(_, e)| e.bytes.len()).sum::<usize>();
        while self.kept.len() > 1 && (self.kept.len() > KEPT || size(&self.kept) > KEPT_BYTES) {
            self.kept.pop_front();
        }
    }

    fn encode(&mut self, snapshot: &Arc<Snapshot>, kind: Kind) -> Encoded {
        let mut text = self.texts.take();
        let names = kind.names.names(self.dialects);
        self.encoder.encode(snapshot, kind.collectors, &names, kind.format, &mut text);
        Encoded { bytes: self.texts.lend(text), gzipped: false }
    }

    fn compressed(&mut self, plain: Encoded) -> Encoded {
        if plain.bytes.len() <= GZIP_OVER {
            return plain;
        }
        let mut archive = self.archives.take();
        if self.gzip.compress(&plain.bytes, &mut archive).is_err() {
            return plain;
        }
        Encoded { bytes: self.archives.lend(archive), gzipped: true }
    }
}

/// Buffers that are used again.
#[derive(Debug, Default)]
struct Pool<B>(Arc<Mutex<Vec<B>>>);

impl<B: Default + AsRef<[u8]> + Send + 'static> Pool<B> {
    /// A buffer; what it holds is to be overwritten.
    fn take(&self) -> B {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// The buffer's content, until the last reader of it is done; the buffer then comes back.
    fn lend(&self, buffer: B) -> Bytes {
        Bytes::from_owner(Lent { buffer, home: Arc::clone(&self.0) })
    }
}

struct Lent<B: Default> {
    buffer: B,
    home: Arc<Mutex<Vec<B>>>,
}

impl<B: Default + AsRef<[u8]>> AsRef<[u8]> for Lent<B> {
    fn as_ref(&self) -> &[u8] {
        self.buffer.as_ref()
    }
}

impl<B: Default> Drop for Lent<B> {
    fn drop(&mut self) {
        let mut home = self.home.lock().unwrap_or_else(PoisonError::into_inner);
        if home.len() < SPARE {
            home.push(std::mem::take(&mut self.buffer));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::snapshot;
    use super::*;

    fn kind(gzip: bool) -> Kind {
        let names = NameSet::of(&[], &[]);
        Kind { collectors: Collectors(1), names, format: Format::Text, gzip }
    }

    #[test]
    fn requests_that_share_a_snapshot_share_its_body() {
        let mut bodies = Bodies::new(&[]);
        let big = snapshot(1000);
        for kind in [kind(false), kind(true)] {
            let (one, two) = (bodies.body(&big, kind), bodies.body(&big, kind));
            assert_eq!(one.bytes.as_ptr(), two.bytes.as_ptr());
            assert_eq!(one.gzipped, kind.gzip);
        }
        let other = Kind { collectors: Collectors(0), ..kind(false) };
        assert_ne!(bodies.body(&big, other).bytes, bodies.body(&big, kind(false)).bytes);
    }

    #[test]
    fn a_small_body_is_not_compressed() {
        assert!(!Bodies::new(&[]).body(&snapshot(1), kind(true)).gzipped);
    }

    #[test]
    fn a_buffer_is_used_again_unless_somebody_still_reads_it() {
        let mut bodies = Bodies::new(&[]);
        let (first, second, third) = (snapshot(100), snapshot(100), snapshot(100));
        let place = bodies.body(&first, kind(false)).bytes.as_ptr();
        let slow_reader = bodies.body(&second, kind(false)).bytes;
        assert_eq!(slow_reader.as_ptr(), place);
        let before = slow_reader.to_vec();
        assert_ne!(bodies.body(&third, kind(false)).bytes.as_ptr(), place);
        assert_eq!(slow_reader, before);
    }

    #[test]
    fn what_is_kept_is_bounded_whatever_is_asked_for() {
        let mut bodies = Bodies::new(&[]);
        let snapshot = snapshot(1);
        for filter in 0..100 {
            bodies.body(&snapshot, Kind { collectors: Collectors(filter), ..kind(false) });
        }
        assert_eq!(bodies.kept.len(), KEPT);
    }
}
