//! A start where somebody has the address.
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;
use truechimer_engine::{Engine, EngineConfig, EngineError, Listen};

fn taken() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("bound");
    (socket, address)
}

fn start(address: SocketAddr) -> Result<Engine, EngineError> {
    Engine::bind(EngineConfig {
        listen: Listen::Addresses(vec![address]),
        ..EngineConfig::default()
    })
}

#[test]
fn who_lets_go_of_the_address_soon_is_waited_for() {
    let (socket, address) = taken();
    let letting_go = thread::spawn(move || {
        thread::sleep(Duration::from_millis(150));
        drop(socket);
    });
    start(address).expect("its turn comes");
    letting_go.join().expect("no panic");
}

#[test]
fn who_keeps_the_address_is_named() {
    let (_socket, address) = taken();
    match start(address).map(drop) {
        Err(EngineError::NoService(failure)) => {
            assert_eq!(failure.address, address);
            assert_eq!(failure.error.kind(), ErrorKind::AddrInUse);
        }
        other => panic!("{other:?}"),
    }
}
