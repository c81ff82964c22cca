import Foundation
import Support
import Testing

/// The files that `docs/deploy.md` has one write, each run.
@Suite("docs/deploy.md", .inTurn(minutes: 4))
struct DeployTests {
  /// A web server of the document.
  enum Server: String, CaseIterable {
    case nginx, haproxy, caddy

    static let comment = "nginx, haproxy, Caddy or openssl is missing: their configurations were NOT tried"
    static let areThere = ["/usr/sbin/nginx", "/usr/sbin/haproxy", "/usr/bin/caddy", "/usr/bin/openssl"].allSatisfy {
      FileManager.default.isExecutableFile(atPath: $0)
    }
  }

  private let document: Readme

  init() throws { document = Readme(try Repository.text("docs/deploy.md")) }

  @Test(
    "has web servers that pass calls and streams on, and give streams something to wait for while the gateway is away",
    .enabled(if: Server.areThere, "\(Server.comment)"), arguments: Server.allCases)
  func webServers(server: Server) async throws {
    try await Rig.with { rig in
      let gateway = try await Rig.demonstration(prefix: "", hosts: ["api.example"], rig.cleanup)
      let port = try ReverseProxy.freePort()
      try await start(server, on: port, before: gateway.http.port, rig)
      let scheme = server == .caddy ? "http" : "https"
      func curl(_ arguments: String) async throws -> String {
        let process = try Subprocess(
          "sh",
          [
            "-c",
            "exec curl -sk --max-time 20 --resolve api.example:\(port):127.0.0.1 -H 'Origin: \(scheme)://api.example:\(port)' \(arguments)",
          ])
        let output = try await process.rest()
        try await process.ended()
        return output
      }
      let url = "\(scheme)://api.example:\(port)"
      try await eventually("\(server) to find the gateway") {
        try await curl("\(url)/rpc/calc/add --json '[2,3]'") == "5"
      }
      #expect(try await curl("'\(url)/sub/news?topic=clock' -N | head -n 1") == ": ok\n")
      for page in ["ready", "metrics", "status"] {
        #expect(try await curl("\(url)/\(page) -o /dev/null -w '%{http_code}'") == "404", "\(page)")
      }
      await gateway.stop()
      let away = try await eventually("an empty stream") {
        let answer = try await curl("\(url)/sub/news -w '%{http_code} %{content_type}'")
        return answer.contains("200") ? answer : nil
      }
      #expect(away.hasPrefix("retry: 2000\n\n"), "\(away)")
      #expect(away.hasSuffix("200 text/event-stream"), "\(away)")
    }
  }

  private func start(_ server: Server, on port: UInt16, before gateway: UInt16, _ rig: Rig) async throws {
    let path = rig.directory.path
    var text = try #require(document.block(server.rawValue)).text
    // First the port, whose digits may be in what is put in then.
    text = text.replacing("443", with: "\(port)").replacing("127.0.0.1:8080", with: "127.0.0.1:\(gateway)")
    text = text.replacing("/etc/ssl/gateway", with: path)
    let process: Subprocess
    switch server {
    case .nginx:
      try await makeCertificate(in: path)
      let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map { "\($0)_temp_path \(path)/\($0);" }
      let whole =
        "daemon off; master_process off; pid \(path)/pid; events {} http { access_log off; \(temporary.joined()) \(text) }"
      process = try Subprocess(
        "/usr/sbin/nginx", ["-p", path, "-c", try rig.directory.file("nginx.conf", whole), "-e", path + "/error"])
    case .haproxy:
      try await makeCertificate(in: path)
      process = try Subprocess("/usr/sbin/haproxy", ["-db", "-f", try rig.directory.file("haproxy.cfg", text)])
    case .caddy:
      // With a name of its own it would ask for a certificate.
      text = "{\n  admin off\n}\n" + text.replacing("api.example {", with: "http://api.example:\(port) {")
      process = try Subprocess(
        "env",
        [
          "XDG_DATA_HOME=\(path)", "XDG_CONFIG_HOME=\(path)", "/usr/bin/caddy", "run", "--adapter", "caddyfile",
          "--config", try rig.directory.file("Caddyfile", text),
        ])
    }
    rig.cleanup.add { await process.destroy() }
  }

  private func makeCertificate(in path: String) async throws {
    let line = """
      cd "$0" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=api.example \
      -keyout key.pem -out cert.pem && cat cert.pem key.pem > both.pem
      """
    let process = try Subprocess("sh", ["-c", line, path])
    _ = try await process.rest()
    #expect(try await process.ended() == 0)
  }

  @Test(
    "has a unit that systemd takes",
    .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze"), "there is no systemd"))
  func unit() async throws {
    let directory = try TemporaryDirectory()
    let text = try Repository.text("Packaging/zmq-gateway.service").replacing("@bindir@/zmq-gateway", with: "/bin/true")
    let process = try Subprocess(
      "systemd-analyze", ["verify", "--man=no", try directory.file("zmq-gateway.service", text)],
      complaints: .withOutput)
    #expect(try await process.rest() == "")
    #expect(try await process.ended() == 0)
  }
}

@Suite("docs/operations.md", .inTurn(minutes: 3))
struct OperationsTests {
  @Test("tells of lines that are in the log, by the words of the sources")
  func lines() throws {
    let document = try Repository.text("docs/operations.md")
    let section = document.components(separatedBy: "\n## ").first { $0.hasPrefix("The log") } ?? ""
    let messages = section.matches(of: /\n\| [a-z]+ \| `([^`]+)` \|/).map { String($0.1) }
    #expect(messages.count > 25)
    var sources = ""
    let root = Repository.path("Sources")
    for file in FileManager.default.enumerator(atPath: root)?.compactMap({ $0 as? String }) ?? []
    where file.hasSuffix(".swift") {
      sources += try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
    }
    for message in messages {
      #expect(sources.contains("\"\(message)") || sources.contains("  \(message)"), "\(message)")
    }
  }

  @Test("has exit codes, commands and paths that are there", arguments: ["docs/operations.md", "docs/faq.md"])
  func codes(file: String) throws {
    let codes = Set(try Repository.text("docs/errors.md").matches(of: /`([a-z]+(-[a-z]+)*)`/).map { String($0.1) })
    let named = try Repository.text(file).matches(of: /50[0-9] `([a-z-]+)`|40[0-9] `([a-z-]+)`|421 `([a-z-]+)`/)
    #expect(!named.isEmpty)
    for match in named {
      let code = String(match.1 ?? match.2 ?? match.3 ?? "")
      #expect(codes.contains(code) || ["internal", "timeout"].contains(code), "\(code)")
    }
  }
}
