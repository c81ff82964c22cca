import Foundation
import Gateway
import HTTPServer
import Support
import Testing

/// What `docs/tutorial.md` has one type, with the service, the gateway and the page that stand in it.
@Suite("docs/tutorial.md", .inTurn(minutes: 4), .enabled(if: Python.isThere, "\(Python.comment)"))
struct TutorialTests {
  private let document: Readme

  init() throws { document = Readme(try Repository.text("docs/tutorial.md")) }

  /// Starts the service and the gateway of the document.
  private func with(_ body: (LiveGateway, TemporaryDirectory, Cleanup) async throws -> Void) async throws {
    let (yaml, script) = (try #require(document.block("yaml")).text, try #require(document.block("python")).text)
    try await Cleanup.with { cleanup in
      let directory = try TemporaryDirectory()
      func moved(_ text: String) -> String {
        text.replacing("tcp://127.0.0.1:5555", with: directory.endpoint("shop"))
          .replacing("tcp://127.0.0.1:5556", with: directory.endpoint("news"))
      }
      let service = try Subprocess(Python.path ?? "", [try directory.file("service.py", moved(script))])
      cleanup.add { await service.destroy() }
      var configuration = try Configuration.load(yaml: moved(yaml), file: "gateway.yaml")
      configuration.http.listen = [.loopback(port: 0)]
      configuration.http.threads = 1
      let gateway = LiveGateway(try await Gateway.start(configuration, logger: Rig.logger))
      cleanup.add { await gateway.stop() }
      try await eventually("all services to be connected") { try await gateway.http.get("/ready").status == 200 }
      try await body(gateway, directory, cleanup)
    }
  }

  @Test("has commands that print what they are said to print, one after the other")
  func commands() async throws {
    try await with { gateway, _, _ in
      let steps = document.steps.filter { $0.program == "curl" }
      #expect(steps.count == 7)
      let console = Console(gateway: gateway)
      let streams = steps.filter(\.isStream)
      let stream = try #require(streams.first)
      for step in steps where !step.isStream && step.section != stream.section {
        #expect(try await console.output(of: step.command) == Console.normalised(step.output), "\(step.command)")
      }
      let buying = try #require(steps.last)
      let opened = try await gateway.http.events("/sub/news?topic=stock")
      #expect(try await opened.block()?.comments == ["ok"])
      #expect(try await console.output(of: buying.command) == Console.normalised(buying.output))
      let event = try #require(try await opened.event(named: ""))
      let line = "data: \(event.json)\n"
      #expect(stream.output.contains(line), "\(line)")
      opened.close()
    }
  }

  @Test("has a page that works behind nginx", .enabled(if: ReverseProxy.areThere, "\(ReverseProxy.comment)"))
  func page() async throws {
    try await with { gateway, directory, cleanup in
      let port = try ReverseProxy.freePort()
      var nginx = try #require(document.block("nginx")).text
      nginx = nginx.replacing("127.0.0.1:8080", with: "127.0.0.1:\(gateway.http.port)")
      nginx = nginx.replacing("127.0.0.1:8000", with: "127.0.0.1:\(port)")
      for folder in ["page", "tmp"] {
        try FileManager.default.createDirectory(
          atPath: "\(directory.path)/\(folder)", withIntermediateDirectories: true)
      }
      _ = try directory.file("page/index.html", try #require(document.block("html")).text)
      // One process, so that none is left.
      nginx = "master_process off;\n" + nginx
      let process = try Subprocess(
        "/usr/sbin/nginx", ["-p", directory.path, "-c", try directory.file("nginx.conf", nginx)])
      cleanup.add { await process.destroy() }
      let http = HTTPClient(port: port)
      try await eventually("nginx to listen") { (try? HTTPConnection(port: port)) != nil }
      #expect(try await http.get("/").body.contains("<h1>Apples: "))
      // As a browser asks: with the origin of the page.
      let headers = ["Origin": "http://localhost"]
      #expect(try await http.post("/rpc/shop/in_stock", #"["apple"]"#, headers: headers).body == "5")
      guard try await Browser.isThere() else { return }
      let shown = try #require(try await Browser.lines(of: "tutorial.py", "http://127.0.0.1:\(port)/").first)
      #expect(shown["left"] == "0")
      #expect(shown["told"] == "ValueError('only 0 left')")
    }
  }

  @Test("names the versions that the tests use")
  func versions() throws {
    let requirements = try Repository.text("Tests/requirements.txt").split(separator: "\n")
    let installs = document.steps.filter { $0.command.contains("pip install") }
    let install = try #require(installs.first)
    for package in install.command.split(separator: " ").dropFirst(2) { #expect(requirements.contains(package)) }
  }
}
