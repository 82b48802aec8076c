//! The words of `truechimer decode`.
use crate::decode::{self, Layer, Question};
use crate::exit::Exit;
use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub(super) struct DecodeWords {
    /// Captures (pcap, pcapng), dumps as xxd or tcpdump -x print them, or hexadecimal digits; - or
    /// nothing for standard input
    #[arg(value_name = "FILE|HEX")]
    inputs: Vec<String>,
    /// UDP port of NTP in captures
    #[arg(long, default_value_t = 123)]
    port: u16,
    /// What hexadecimal digits begin with [default: found out]
    #[arg(long, value_name = "HEADER")]
    begins: Option<Begin>,
    /// One JSON object a packet
    #[arg(long)]
    json: bool,
    /// Raw time stamps, and what values mean
    #[arg(short, long)]
    verbose: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Begin {
    /// The NTP packet itself
    Ntp,
    /// An IPv4 or IPv6 header
    Ip,
    /// An Ethernet header
    Ethernet,
}

impl DecodeWords {
    pub(super) fn run(&self) -> Exit {
        let layer = self.begins.map(|begin| match begin {
            Begin::Ntp => Layer::Ntp,
            Begin::Ip => Layer::Ip,
            Begin::Ethernet => Layer::Ethernet,
        });
        let question = Question {
            port: self.port,
            layer,
            json: self.json,
            details: self.verbose,
        };
        decode::run(&question, &self.inputs)
    }
}
