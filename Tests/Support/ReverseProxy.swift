import Foundation
import Glibc

/// A real proxy in front of a server on this machine.
public enum ReverseProxy: String, CaseIterable, Sendable {
  /// nginx as it is unless told otherwise: HTTP/1.0 to the server.
  case nginx
  /// nginx that keeps connections to the server.
  case nginxWithHTTP11 = "nginx with HTTP/1.1"
  case haproxy

  /// Why tests are left out: `make test` installs both.
  public static let comment = "nginx or haproxy is missing: what comes through proxies was NOT tested"

  /// Whether the machine has both programs.
  public static let areThere = ["/usr/sbin/nginx", "/usr/sbin/haproxy"].allSatisfy {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  /// Starts it, with its files in the directory; returns the port on which it listens.
  public func start(
    before port: UInt16, in directory: TemporaryDirectory, _ cleanup: Cleanup
  ) async throws -> UInt16 {
    let own = try Self.freePort()
    let file = directory.path + "/\(own).conf"
    try configuration(own, port, directory.path).write(toFile: file, atomically: true, encoding: .utf8)
    let process =
      self == .haproxy
      ? try Subprocess("/usr/sbin/haproxy", ["-db", "-f", file])
      : try Subprocess("/usr/sbin/nginx", ["-p", directory.path, "-c", file, "-e", directory.path + "/error"])
    cleanup.add { await process.destroy() }
    try await eventually("\(rawValue) to listen") { (try? HTTPConnection(port: own)) != nil }
    return own
  }

  private func configuration(_ own: UInt16, _ port: UInt16, _ directory: String) -> String {
    if self == .haproxy {
      return """
        defaults
          mode http
          timeout connect 5s
          timeout client 60s
          timeout server 60s
        listen gateway
          bind 127.0.0.1:\(own)
          server only 127.0.0.1:\(port)

        """
    }
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(directory)/\($0);" }
    return """
      daemon off;
      master_process off;
      pid \(directory)/\(own).pid;
      events {}
      http {
        access_log off;
        \(temporary.joined(separator: " "))
        server {
          listen 127.0.0.1:\(own);
          location / {
            proxy_pass http://127.0.0.1:\(port);
            \(self == .nginx ? "" : "proxy_http_version 1.1; proxy_set_header Connection \"\";")
          }
        }
      }

      """
  }

  /// A port that nobody has just now.
  public static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutableBytes(of: &address) { bytes in
      let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress
      return bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
    }
    guard result else { throw TimedOut("a free port") }
    return UInt16(bigEndian: address.sin_port)
  }
}
