import Gateway
import MessagePack
import Reactor
import Support
import Testing
import ZeroMQ

/// What web pages can do to a gateway, tried with a real browser.
@Suite("A web page", .inTurn(minutes: 4), .enabled("\(Browser.comment)") { try await Browser.isThere() })
struct ForeignPageTests {
  /// What a page sends to have something run, and what it sees of the answer.
  static let sendings: [(name: String, path: String, seen: JSON)] = [
    ("empty", "/rpc/s/", "TypeError"), ("text", "/rpc/s/", "TypeError"), ("push", "/push/jobs/", "TypeError"),
    ("publication", "/pub/news/t/", "TypeError"), ("preflight", "/rpc/s/", "TypeError"),
    ("sandbox", "/rpc/s/", "TypeError"), ("beacon", "/rpc/s/", true),
  ]
  /// Forms leave the page behind; what the browser then shows is the gateway's answer.
  static let forms = ["form", "text-form", "upload"]
  /// What a page asks for by GET, and what it sees of the answer.
  static let readings: [(name: String, seen: JSON)] = [
    ("fetch", "TypeError"), ("blind-fetch", "TypeError"), ("script", "error"), ("image", "error"), ("events", "error"),
  ]

  @Test(
    "of another origin, or of a host that is not served, changes nothing and sees nothing; one of the gateway's own does both"
  )
  func pages() async throws {
    try await Rig.with { rig in
      let backend = try await rig.wire(.router)
      let jobs = try await rig.wire(.pull, bind: rig.directory.endpoint("jobs"))
      let log = RecordingLog()
      let yaml = """
        http: { listen: ["127.0.0.1:0"], threads: 1, hosts: [listed.example] }
        services:
          s: { pattern: rpc, connect: ["\(await backend.endpoint)"], methods: { safe: ["safe-*"] } }
          jobs: { pattern: pipeline, connect: ["\(await jobs.endpoint)"] }
          news: { pattern: pubsub, publish: { connect: ["ipc:///nowhere/a"] }, subscribe: { connect: ["ipc:///nowhere/b"] } }
        """
      let configuration = try Configuration.load(yaml: yaml, file: "test.yaml")
      let gateway = LiveGateway(try await Gateway.start(configuration, logger: log.logger()))
      rig.cleanup.add { await gateway.stop() }
      try await gateway.reaches(backend)
      // One that lists no hosts.
      let bare = try await rig.gateway(
        """
        s: { pattern: rpc, connect: ["\(await backend.endpoint)"], methods: { safe: ["safe-*"] } }
        news: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/b"] } }
        """, threads: 1)
      try await bare.reaches(backend)
      let called = Guarded<Set<String>>([])
      let answering = Task {
        while !Task.isCancelled {
          guard let call = try? await backend.call() else { continue }
          called.withLock { _ = $0.insert(call.method) }
          try await backend.answer(call, Value.string("r").packed)
        }
      }
      defer { answering.cancel() }
      let lines = try await Browser.lines(of: "foreign_pages.py", "\(gateway.http.port)", "\(bare.http.port)")
      let seen = Dictionary(lines.map { ($0["name"].text ?? "", $0["seen"]) }) { $1 }

      for page in ["foreign", "neighbour"] {
        for sending in Self.sendings { #expect(seen["\(page)-\(sending.name)"] == sending.seen, "\(page) \(sending)") }
        for form in Self.forms {
          #expect(seen["\(page)-\(form)"]?.text?.contains(#""cross-site""#) == true, "\(page) \(form)")
        }
        for reading in Self.readings { #expect(seen["\(page)-\(reading.name)"] == reading.seen, "\(page) \(reading)") }
        // Each of them did reach the gateway.
        let instances = Self.sendings.map { $0.path + "\(page)-\($0.name)" } + Self.forms.map { "/rpc/s/\(page)-\($0)" }
        for instance in instances {
          try await eventually("a refusal of \(instance)") {
            log.lines.contains { $0.hasPrefix("debug: problem code=cross-site instance=\(instance) ") }
          }
        }
      }
      for rebound in ["rebound", "searched"] {
        for name in ["call", "fetch"] {
          let page = "\(rebound)-\(name)"
          #expect(seen[page]?.text?.hasPrefix("421 ") == true, "\(page): \(seen[page] ?? .null)")
        }
        for name in ["script", "image", "events"] {
          #expect(seen["\(rebound)-\(name)"] == "error", "\(rebound) \(name)")
        }
      }
      let hosts = ["127.0.0.1", "localhost", "gateway.localhost", "listed.example"]
      for host in hosts {
        for name in ["call", "empty", "fetch"] { #expect(seen["\(host)-\(name)"] == #"200 "r""#, "\(host) \(name)") }
        #expect(seen["\(host)-events"] == "open", "\(host)")
      }
      // A safe method runs for whoever asks; only pages of the gateway's own get the result.
      let runs = called.withLock { $0 }.subtracting(["hello"])
      let ofOthers = runs.filter { $0.contains("foreign-") || $0.contains("neighbour-") }
      #expect(ofOthers.filter { !$0.hasPrefix("safe-") } == [])
      #expect(runs.subtracting(ofOthers) == Set(hosts.flatMap { ["\($0)-call", "\($0)-empty", "safe-\($0)-fetch"] }))
      // Nothing was pushed before this.
      try await gateway.isConnected("/push/jobs/last", "[]")
      #expect(try await jobs.receive().contains("last".bytes))
    }
  }
}
