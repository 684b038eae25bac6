//! The System Management Controller, through the user client of its driver. It has no header: the layout of the
//! message is that of PowerManagement's and of the driver's published sources.
//!
//! Reading needs no rights. Nothing is ever written to it.

use crate::calls::{INVALID, mach_error};
use crate::registry::{Object, services};
use objc2_io_kit::{IOConnectCallStructMethod, IOServiceClose, IOServiceOpen, io_connect_t};
use schema::Errno;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::mem::offset_of;

/// What goes to the driver and comes back.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Message {
    key: u32,
    /// Of its firmware, with the padding behind it.
    version: [u8; 8],
    limits: [u32; 4],
    info: Info,
    result: u8,
    status: u8,
    command: u8,
    padding: u8,
    index: u32,
    bytes: [u8; BYTES],
}

/// What is known of a key.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Info {
    size: u32,
    kind: u32,
    attributes: u8,
    padding: [u8; 3],
}

/// The longest value.
const BYTES: usize = 32;

const _: () = {
    assert!(size_of::<Message>() == 80);
    assert!(offset_of!(Message, limits) == 12 && offset_of!(Message, info) == 28);
    assert!(offset_of!(Message, result) == 40 && offset_of!(Message, command) == 42);
    assert!(offset_of!(Message, index) == 44 && offset_of!(Message, bytes) == 48);
};

/// The selector of the driver's one method that takes such a message.
const HANDLE: u32 = 2;
const READ: u8 = 5;
const KEY_AT: u8 = 8;
const KEY_INFO: u8 = 9;
/// The result for a key that is not there.
const NO_SUCH_KEY: u8 = 132;

/// Macs have one to three thousand keys.
const MOST_KEYS: u32 = 20_000;

/// The driver's service on Apple silicon, where others descend from the same class.
const ENDPOINT: &str = "AppleSMCKeysEndpoint";

/// A connection to the driver, closed when it is dropped.
struct Client {
    connection: io_connect_t,
    /// A key's size and type do not change, and asking for them takes as long as reading.
    known: BTreeMap<u32, Info>,
}

impl Client {
    fn open() -> Result<Client, Errno> {
        let service = service()?.ok_or(Errno::NOT_FOUND)?;
        let mut connection = 0;
        #[expect(deprecated, reason = "libc points to another crate for three functions")]
        // SAFETY: it gives the name of our own task, a plain number.
        let task = unsafe { libc::mach_task_self() };
        // SAFETY: the service is a live reference of ours, the task is our own, and there is room for what is
        // written.
        let result = unsafe { IOServiceOpen(service.port(), task, 0, &raw mut connection) };
        match result {
            0 => Ok(Client { connection, known: BTreeMap::new() }),
            code => Err(mach_error(code)),
        }
    }

    fn ask(&self, message: &Message) -> Result<Message, Errno> {
        let mut reply = Message::default();
        let mut size = size_of::<Message>();
        // SAFETY: the connection is open; both structures have the size that is given with them, are ours, and
        // hold plain numbers without padding of the compiler's.
        let code = unsafe {
            IOConnectCallStructMethod(
                self.connection,
                HANDLE,
                (&raw const *message).cast(),
                size_of::<Message>(),
                (&raw mut reply).cast(),
                &raw mut size,
            )
        };
        match (code, reply.result) {
            (0, 0) => Ok(reply),
            (0, NO_SUCH_KEY) => Err(Errno::NOT_FOUND),
            (0, _) => Err(Errno::IO),
            (code, _) => Err(mach_error(code)),
        }
    }

    fn info(&mut self, key: u32) -> Result<Info, Errno> {
        if let Some(info) = self.known.get(&key) {
            return Ok(*info);
        }
        let info = self.ask(&Message { key, command: KEY_INFO, ..Message::default() })?.info;
        self.known.insert(key, info);
        Ok(info)
    }

    /// The key's type, then its value.
    fn read(&mut self, key: u32, answer: &mut Vec<u8>) -> Result<(), Errno> {
        let info = self.info(key)?;
        let reply = self.ask(&Message { key, info, command: READ, ..Message::default() })?;
        let value = reply.bytes.get(..info.size as usize).ok_or(Errno(libc::EFBIG))?;
        answer.extend_from_slice(&info.kind.to_be_bytes());
        answer.extend_from_slice(value);
        Ok(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // The only error is that it is no connection, and it is one of ours.
        let _ = IOServiceClose(self.connection);
    }
}

fn service() -> Result<Option<Object>, Errno> {
    let mut first = None;
    for class in ["AppleSMC", ENDPOINT] {
        for service in services(class)? {
            if service.name().as_deref() == Some(ENDPOINT) {
                return Ok(Some(service));
            }
            first = first.or(Some(service));
        }
    }
    Ok(first)
}

thread_local! {
    /// A lane has its own, so that one that is stuck holds up no other.
    static CLIENT: RefCell<Option<Client>> = const { RefCell::new(None) };
}

fn with_client(work: impl FnOnce(&mut Client) -> Result<(), Errno>) -> Result<(), Errno> {
    CLIENT.with_borrow_mut(|client| {
        let mut open = match client.take() {
            Some(open) => open,
            None => Client::open()?,
        };
        let result = work(&mut open);
        // Where the driver did not take the message, the connection may be dead: the next call makes a new one.
        if !matches!(result, Err(Errno(code)) if code < 0) {
            *client = Some(open);
        }
        result
    })
}

/// The call `smc`. The argument is a key of four letters, the answer its type, four letters as well (`flt `, `fpe2`),
/// and then its value as the controller has it. ENOENT where there is no controller or no such key.
pub(crate) fn read(key: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    let key = u32::from_be_bytes(key.try_into().map_err(|_| INVALID)?);
    with_client(|client| client.read(key, answer))
}

/// The call `smc_keys`. The argument is how a key has to begin, the answer all such keys in the controller's order:
/// for each its four letters, the four of its type, and its size as a number of 32 bits. Every key is looked at, which
/// takes tens of milliseconds. ENOENT where there is no controller.
pub(crate) fn keys(beginning: &[u8], answer: &mut Vec<u8>) -> Result<(), Errno> {
    with_client(|client| {
        let mut count = Vec::new();
        client.read(u32::from_be_bytes(*b"#KEY"), &mut count)?;
        let count: [u8; 4] = count.get(4..).and_then(|count| count.try_into().ok()).ok_or(Errno::IO)?;
        for index in 0..u32::from_be_bytes(count).min(MOST_KEYS) {
            let Ok(reply) = client.ask(&Message { command: KEY_AT, index, ..Message::default() }) else {
                continue;
            };
            let key = reply.key.to_be_bytes();
            if !key.starts_with(beginning) {
                continue;
            }
            let Ok(info) = client.info(reply.key) else { continue };
            answer.extend_from_slice(&key);
            answer.extend_from_slice(&info.kind.to_be_bytes());
            answer.extend_from_slice(&info.size.to_le_bytes());
        }
        Ok(())
    })
}
