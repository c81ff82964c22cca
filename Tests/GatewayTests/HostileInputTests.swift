import ConfigurationReader
import HTTPServer
import Support
import Testing

@testable import Gateway

@Suite("Hostile input", .inTurn(minutes: 3))
struct HostileInputTests {
  /// `seed` with a few bytes replaced, removed or doubled.
  private func mutations(of seeds: [String], count: Int, _ check: ([UInt8]) -> Void) {
    var numbers = SplitMix(state: 1)
    let interesting = Array("/%?&=:#._-+*0aZ \u{0}\u{7F}\"'{}[],$\n\t".utf8) + [0x80, 0xFF]
    for _ in 0..<count {
      var bytes = Array((seeds.randomElement(using: &numbers) ?? "").utf8)
      for _ in 0..<Int.random(in: 1...6, using: &numbers) where !bytes.isEmpty {
        let index = Int.random(in: bytes.indices, using: &numbers)
        switch Int.random(in: 0..<4, using: &numbers) {
        case 0: bytes[index] = interesting.randomElement(using: &numbers) ?? 0
        case 1: bytes.remove(at: index)
        case 2: bytes.insert(bytes[index], at: index)
        default: bytes.removeLast(bytes.count - index)
        }
      }
      check(bytes)
    }
  }

  @Test("as a target leads to a responder or a problem, and its query is read or is a problem")
  func targets() async throws {
    let seeds = [
      "/rpc/math/ns.add?a=1&b:=2&_timeout=1", "/pub/news/%2D%00eu/created", "/sub/news?topic=%ff&topic=a", "/live",
      "/api/rpc/math/add", "/problems/timeout", "/rpc/%6dath/%61dd",
    ]
    for prefix in ["", "/api"] {
      try await RouterBench.with(prefix: prefix) { router in
        mutations(of: seeds, count: 20_000) { bytes in
          guard let route = try? router.route(.get, bytes.span) else { return }
          #expect(route.query.upperBound == bytes.count)
          for content in [Query.Content.arguments, .topics, .nothing] {
            _ = try? Query(bytes.span.extracting(route.query), content, controls: ["_timeout"])
          }
        }
      }
    }
  }

  @Test("as a deadline is within bounds or a refusal")
  func deadlines() {
    mutations(of: ["2.5", "99999999999999999999", "0.000000000000000000001", " 1 "], count: 20_000) { bytes in
      guard let deadline = try? RequestTimeout.parse(String(decoding: bytes, as: UTF8.self))
      else {
        return
      }
      let isWithin = deadline > .zero && deadline < .seconds(1_000_000_000_000)
      #expect(isWithin)
    }
  }

  @Test("as a configuration is read, or every problem has a place in the file")
  func configurations() {
    let seed = """
      http: { listen: ["127.0.0.1:8080", "[::1]:0"], threads: ${N:-1}, limits: { body: 1MiB, read-timeout: 1.5s } }
      auth: none
      services:
        math: { pattern: rpc, connect: ["tcp://h:1", ipc:///a], methods: { expose: ["*"] }, timeout: 5s }
        news:
          pattern: pubsub
          subscribe: { connect: &a [tcp://h:2], topics: [""], history: { events: 1 } }
          publish: { connect: *a }
      """
    mutations(of: [seed], count: 1_000) { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      do throws(ConfigurationErrors) {
        _ = try Configuration.load(yaml: text, file: "f")
      } catch {
        #expect(!error.problems.isEmpty)
        #expect(error.problems.allSatisfy { 1...20 ~= $0.line && $0.column > 0 }, "\(text)\n\(error)")
      }
    }
  }
}
