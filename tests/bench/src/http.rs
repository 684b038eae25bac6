//! As much of HTTP/1.1 as a scrape takes: GET over a connection that is kept open, a body by its length or in
//! chunks. The body is not unpacked: what is measured is the daemon.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection to a daemon.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects.
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        // Under strace a scrape of a thousand processes takes long.
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        stream.set_nodelay(true)?;
        Ok(Client { address, stream: BufReader::new(stream) })
    }

    /// GET /metrics in the text format, which every daemon here speaks; the body, as it came.
    pub(crate) fn scrape(&mut self, gzip: bool) -> io::Result<Vec<u8>> {
        let coding = if gzip { "gzip" } else { "identity" };
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: {}\r\nUser-Agent: gauged-bench\r\nAccept: text/plain;version=0.0.4\r\n\
             Accept-Encoding: {coding}\r\nX-Prometheus-Scrape-Timeout-Seconds: 60\r\n\r\n",
            self.address
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        body(&mut self.stream)
    }
}

fn body(stream: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let status = line(stream)?;
    if status.split(' ').nth(1) != Some("200") {
        return Err(io::Error::other(format!("the answer is `{status}`")));
    }
    let (mut length, mut chunked) = (None, false);
    loop {
        let header = line(stream)?.to_ascii_lowercase();
        match header.split_once(':') {
            Some(("content-length", value)) => length = value.trim().parse::<u64>().ok(),
            Some(("transfer-encoding", value)) => chunked = value.trim() == "chunked",
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    if chunked {
        while let size @ 1.. = chunk_size(&line(stream)?)? {
            stream.take(size).read_to_end(&mut body)?;
            line(stream)?;
        }
        line(stream)?;
    } else {
        let length = length.ok_or_else(|| io::Error::other("the answer has no length"))?;
        stream.take(length).read_to_end(&mut body)?;
    }
    Ok(body)
}

fn chunk_size(line: &str) -> io::Result<u64> {
    u64::from_str_radix(line.trim(), 16)
        .map_err(|_| io::Error::other(format!("`{line}` is no size of a chunk")))
}

/// A line without its end; an empty one is the end of the header.
fn line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_a_length() {
        let mut answer = &b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\nrest"[..];
        assert_eq!(body(&mut answer).unwrap(), b"a 1\n");
    }

    #[test]
    fn a_body_comes_in_chunks() {
        let mut answer =
            &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na \r\n2\r\n1\n\r\n0\r\n\r\n"[..];
        assert_eq!(body(&mut answer).unwrap(), b"a 1\n");
    }

    #[test]
    fn another_status_is_an_error() {
        assert!(body(&mut &b"HTTP/1.1 503 Busy\r\n\r\n"[..]).is_err());
    }
}
