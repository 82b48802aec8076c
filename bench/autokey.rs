//! What a flood of valid Autokey requests does to time service, ours and the reference's.
//!
//! The requests are made before, each with the right MAC and an origin timestamp that the server had
//! given to that address, so that nothing but its budgets keeps a server from answering all of them.
use crate::probe::{self, Flood, ROUND, connected, header_of};
use crate::process::Server;
use crate::servers::{self, PORT, REFERENCE_PORT, Scratch};
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use truechimer_crypto::autokey::{AutokeyDigest, Material, MaterialDraft};
use truechimer_crypto::keyfile::KeyText;
use truechimer_crypto::{KeyFile, KeyTable, Keyring};
use truechimer_proto::authentication::Authenticator;
use truechimer_proto::autokey::facts::Generation;
use truechimer_sys::own_network::in_own_network;
use truechimer_time::NtpTimestamp;
use truechimer_wire::{AutokeyBody, AutokeyCode, AutokeyMessage, Header, Mode};

/// Requests in a burst: 10,000 a second.
const BURST: usize = 10;
/// Addresses the flood comes from.
const FLOODERS: u8 = 250;
/// Of the client's files.
pub(crate) const PASSWORD: &str = "bench";
/// The longest request.
const REQUEST_LEN_MAX: usize = 2048;
/// Session keys begin above the symmetric ones.
const FIRST_KEY: u32 = 0x0001_0000;

/// What is asked, in turn.
const ASKED: [AutokeyCode; 4] = [
    AutokeyCode::Association,
    AutokeyCode::Cookie,
    AutokeyCode::Sign,
    AutokeyCode::Iff,
];

/// One address, and its request of each sort.
struct Flooder {
    socket: UdpSocket,
    requests: Vec<Vec<u8>>,
}

struct Autokey {
    flooders: Vec<Flooder>,
    turn: usize,
    /// Replies with an answer of Autokey; short replies are refusals.
    answered: u64,
}

impl Flood for Autokey {
    fn burst(&mut self) -> u64 {
        let mut sent = 0;
        for _ in 0..BURST {
            let count = self.flooders.len();
            let flooder = &self.flooders[self.turn % count];
            let mut reply = [0; REQUEST_LEN_MAX];
            while let Ok(len) = flooder.socket.recv(&mut reply) {
                // Header, field and MAC.
                self.answered += u64::from(len > 48 + 24 + 20);
            }
            let request = &flooder.requests[self.turn / count % ASKED.len()];
            sent += u64::from(flooder.socket.send(request).is_ok());
            self.turn += 1;
        }
        sent
    }
}

/// What a client's requests are made of.
struct Client {
    keys: Material,
    mac: Keyring,
}

impl Client {
    fn new(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| {
            let path = folder.join(name);
            let text = std::fs::read(&path).map_err(|error| error.to_string());
            let text = text.and_then(|it| KeyText::parse(&it).map_err(|error| error.to_string()));
            text.map_err(|error| format!("{}: {error}", path.display()))
        };
        let host = read("ntpkey_host_client")?;
        let keys = || -> Result<Material, Box<dyn std::error::Error>> {
            let mut draft = MaterialDraft::of_host(&host, Some(PASSWORD.as_bytes()))?;
            draft.certificate(&read("ntpkey_cert_client")?)?;
            Ok(draft.build(Generation(1))?)
        };
        let digest = AutokeyDigest::from_name("MD5").map_err(|error| error.to_string())?;
        let table = KeyTable::new(KeyFile::default(), []);
        Ok(Self {
            keys: keys().map_err(|error| error.to_string())?,
            mac: Keyring::new(Arc::new(table)).with_autokey_digest(digest),
        })
    }

    /// A request of this address, its origin timestamp one that the server gave it.
    fn request(
        &mut self,
        code: AutokeyCode,
        from: IpAddr,
        origin: NtpTimestamp,
    ) -> Option<Vec<u8>> {
        let facts = self.keys.facts();
        let own = facts.certificates.first()?;
        let challenge = [0x5a; 20];
        let (filestamp, value) = match code {
            AutokeyCode::Association => (
                u32::from(own.signature_nid) << 16 | 1,
                facts.name.as_bytes(),
            ),
            AutokeyCode::Cookie => (facts.key_filestamp, facts.public_key.as_ref()),
            AutokeyCode::Sign => (own.filestamp, own.der.as_ref()),
            _ => (facts.key_filestamp, challenge.as_slice()),
        };
        let message = AutokeyMessage {
            is_response: false,
            is_error: false,
            code,
            association: 4711,
            body: Some(AutokeyBody {
                timestamp: 0,
                filestamp,
                value,
                signature: &[],
            }),
        };
        let mut header = Header::blank(4, Mode::Client);
        header.origin_time = origin;
        header.transmit_time = NtpTimestamp::from_bits(0x1234_5678_9ABC_DEF0);
        let mut packet = header.to_octets().to_vec();
        let mut field = [0; REQUEST_LEN_MAX];
        let len = message.write(&mut field)?;
        packet.extend_from_slice(field.get(..len)?);
        let key_id = FIRST_KEY + u32::from(code.octet());
        let to = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let key = self.mac.session_key(from, to, key_id, 0)?;
        let mut digest = [0; 20];
        let len = self.mac.seal_session(&key, &packet, &mut digest)?;
        packet.extend_from_slice(&key_id.to_be_bytes());
        packet.extend_from_slice(digest.get(..len)?);
        Some(packet)
    }
}

impl Autokey {
    fn new(folder: &Path, port: u16) -> Result<Self, String> {
        let mut client = Client::new(folder)?;
        let mut flooders = Vec::new();
        for host in 1..=FLOODERS {
            let own = Ipv4Addr::new(127, 3, 0, host);
            let socket = connected(own, port)?;
            let own = IpAddr::V4(own);
            let origin = introduced(&mut client, &socket, own)?;
            let request = |code| client.request(code, own, origin);
            let requests: Option<Vec<_>> = ASKED.into_iter().map(request).collect();
            let requests = requests.ok_or("a request that does not fit a packet")?;
            flooders.push(Flooder { socket, requests });
        }
        Ok(Self {
            flooders,
            turn: 0,
            answered: 0,
        })
    }
}

/// Sends the first request of a dance and gives the transmit timestamp of the answer.
fn introduced(
    client: &mut Client,
    socket: &UdpSocket,
    own: IpAddr,
) -> Result<NtpTimestamp, String> {
    let first = client.request(AutokeyCode::Association, own, NtpTimestamp::from_bits(0));
    let first = first.ok_or("no request")?;
    let start = Instant::now();
    let mut reply = [0; REQUEST_LEN_MAX];
    while start.elapsed() < Duration::from_secs(10) {
        // Refused until the server has its socket.
        let _ = socket.send(&first);
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_millis(100) {
            let Ok(len) = socket.recv(&mut reply) else {
                std::thread::sleep(Duration::from_micros(100));
                continue;
            };
            let answer = reply.get(..len).filter(|it| it.len() > 48 + 24);
            if let Some(header) = answer.and_then(header_of) {
                return Ok(header.transmit_time);
            }
        }
    }
    Err("the server answers no Autokey request within 10 s".to_owned())
}

fn measure(
    server: &Server,
    folder: &Path,
    (port, core): (u16, usize),
    rounds: usize,
) -> Result<(), String> {
    let of = |complaint| format!("{}: {complaint}", server.name);
    let mut flood = Autokey::new(folder, port).map_err(of)?;
    println!("{}", server.name);
    probe::compare(port, core, &mut flood, rounds)?;
    println!(
        "  server  {} ms of processor time, {} Autokey requests answered",
        server.cpu_ns()? / 1_000_000,
        flood.answered
    );
    Ok(())
}

/// Runs `rounds` pairs of rounds of each server and prints percentiles and their ratio.
pub(crate) fn run(rounds: usize) -> Result<(), String> {
    in_own_network(|| {
        let scratch = Scratch::new()?;
        let (first, second) = probe::two_cores()?;
        let keys = servers::autokey_keys(&scratch, PASSWORD)?;
        let ours = servers::truechimer_with_autokey(&scratch, first, &keys, PASSWORD)?;
        let theirs = servers::ntpd_with_autokey(&scratch, first, &keys, PASSWORD)?;
        if !core_affinity::set_for_current(second) {
            return Err("cannot bind the load to its processor".into());
        }
        println!(
            "T3-T2 of time replies beside 10,000 Autokey requests a second from {FLOODERS} addresses, \
             {rounds} times three rounds of {ROUND:?}, server on one core"
        );
        measure(&theirs, &keys, (REFERENCE_PORT, first), rounds)?;
        drop(theirs);
        measure(&ours, &keys, (PORT, first), rounds)
    })
}
