import ArgumentParser
import FoundationEssentials
import Gateway
import Glibc
import HTTPServer

/// Sockets that systemd has opened for the program, and hands to it (sd_listen_fds(3)): who connects while the program starts, or starts
/// anew, waits in place of being refused. They are listened at in the place of the addresses of the configuration.
struct GivenSockets {
  /// One of that name is for operations: `FileDescriptorName=admin`.
  private static let nameOfAdmin = "admin"
  /// The first one's descriptor; the others follow.
  private static let first: CInt = 3

  private(set) var listeners: [Listener] = []
  /// Where services are to be asked for; nil: where the configuration says.
  private(set) var listen: [ListenAddress]?
  /// Where operations are to be served; nil: where the configuration says.
  private(set) var admin: ListenAddress?

  /// Those that the environment tells of; none when it tells of none, or of another process's.
  init(environment: [String: String] = ProcessInfo.processInfo.environment) throws {
    guard environment["LISTEN_PID"] == "\(getpid())", let written = environment["LISTEN_FDS"] else { return }
    guard let count = Int(written), 0..<1_024 ~= count else {
      StandardStream.error.write("LISTEN_FDS: \"\(written)\" is no number of sockets from 0 to 1023\n")
      throw ExitCode.unavailable
    }
    let names = environment["LISTEN_FDNAMES"]?.split(separator: ":", omittingEmptySubsequences: false) ?? []
    for index in 0..<count {
      let listener: Listener
      do {
        listener = try Listener.adopt(Self.first + CInt(index))
      } catch {
        StandardStream.error.write("LISTEN_FDS: \(error)\n")
        throw ExitCode.unavailable
      }
      if let twin = listeners.first(where: { $0.address == listener.address }) {
        StandardStream.error.write("LISTEN_FDS: two sockets listen at \(twin.address); give one\n")
        throw ExitCode.unavailable
      }
      listeners.append(listener)
      if names.indices.contains(index), names[index] == Self.nameOfAdmin {
        guard admin == nil else {
          StandardStream.error.write("LISTEN_FDNAMES: two sockets have the name admin; give one\n")
          throw ExitCode.unavailable
        }
        admin = listener.address
      } else {
        listen = (listen ?? []) + [listener.address]
      }
    }
  }
}
