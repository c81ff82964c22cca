import CLinux
import FoundationEssentials
import Gateway
import Glibc
import Logging
import Reactor
import ServiceLifecycle

/// Tells the supervisor that has started the program, mostly systemd, how it is (`sd_notify(3)`): ready, reloading, stopping, and alive.
struct Supervisor: Sendable {
  private let address: String
  /// How often it wants to hear that the program is alive; nil: not at all.
  let watchdog: Duration?

  /// The one that the environment names; nil when there is none.
  init?(environment: [String: String] = ProcessInfo.processInfo.environment) {
    guard let address = environment["NOTIFY_SOCKET"], address.hasPrefix("/") || address.hasPrefix("@"),
      address.utf8.count < MemoryLayout.size(ofValue: sockaddr_un().sun_path)
    else { return nil }
    self.address = address
    let isMeant = environment["WATCHDOG_PID"].map { $0 == "\(getpid())" } ?? true
    // Twice in the time that it allows.
    watchdog = isMeant ? environment["WATCHDOG_USEC"].flatMap { Int64($0) }.map { .microseconds($0 / 2) } : nil
  }

  func isReady() { tell("READY=1") }

  func isReloading() {
    tell("RELOADING=1\nMONOTONIC_USEC=\(Instant.monotonic().nanoseconds / 1_000)")
  }

  func isStopping() { tell("STOPPING=1") }

  func isAlive() { tell("WATCHDOG=1") }

  /// A datagram, which is dropped when nobody takes it: the program does not wait for who watches it.
  private func tell(_ text: String) {
    let descriptor = socket(
      AF_UNIX, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    var name = sockaddr_un()
    name.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(address.utf8)
    withUnsafeMutableBytes(of: &name.sun_path) { path in
      path.copyBytes(from: bytes)
      // A name of the abstract kind.
      if path[0] == UInt8(ascii: "@") { path[0] = 0 }
    }
    let length = socklen_t(MemoryLayout<sa_family_t>.size + bytes.count)
    _ = withUnsafeBytes(of: &name) { name in
      name.withMemoryRebound(to: sockaddr.self) { name in
        sendto(descriptor, text, text.utf8.count, CInt(MSG_NOSIGNAL), name.baseAddress, length)
      }
    }
  }
}

/// Tells the supervisor again and again that the program is alive, as long as every thread of the gateway does its work.
struct Watchdog: Service {
  let supervisor: Supervisor
  let gateway: @Sendable () -> Gateway?

  func run() async throws {
    guard let interval = supervisor.watchdog else { return try await gracefulShutdown() }
    // Its end throws, from the sleep.
    try? await cancelWhenGracefulShutdown {
      while true {
        // Each thread is asked: one that hangs, or lags behind, leaves this without an answer, and the supervisor without a word.
        if let gateway = gateway() { _ = await gateway.accounts }
        supervisor.isAlive()
        try await Task.sleep(for: interval)
      }
    }
  }
}
