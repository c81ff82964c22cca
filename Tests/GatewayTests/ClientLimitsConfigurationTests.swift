import GatewaySecurity
import Reactor
import Testing

@testable import Gateway

@Suite("The limits of clients")
struct ClientLimitsConfigurationTests {
  private func limits(_ text: String) throws -> Configuration.ClientLimits {
    try Configuration.load(yaml: "limits: \(text)\n", file: "f").limits
  }

  @Test(
    "are a rate in a second, a minute or an hour, and a burst",
    arguments: [
      ("{ rate: 100/s, burst: 200 }", 10_000_000, 200), ("{ rate: 100/s }", 10_000_000, 100),
      ("{ rate: 30/m }", 2_000_000_000, 1), ("{ rate: 600/m }", 100_000_000, 10),
      ("{ rate: 1/h }", 3_600_000_000_000, 1),
      ("{ rate: 3/s }", 333_333_334, 3), ("{ rate: 1000000/s }", 1_000, 1_000_000),
    ])
  func rates(text: String, interval: Int64, burst: Int) throws {
    let rate = try #require(try limits(text).rateLimit)
    #expect(rate.interval == interval && rate.burst == burst)
  }

  @Test("are none unless they are written")
  func none() throws {
    #expect(Configuration().limits.areNone)
    #expect(try limits("{ clients: 5 }").areNone)
    #expect(try !limits("{ streams: 1 }").areNone)
  }

  @Test(
    "that cannot be are told",
    arguments: [
      ("{ rate: 100 }", "expected a rate such as"), ("{ rate: 0/s }", "expected a rate"),
      ("{ rate: 1/d }", "expected a rate"),
      ("{ rate: 1000001/s }", "expected a rate"), ("{ rate: -1/s }", "expected a rate"),
      ("{ burst: 5 }", "no effect without a rate"),
      ("{ rate: 1/s, burst: 0 }", "must be between 1"), ("{ rate: 1/s, per: subjct }", "did you mean \"subject\""),
      ("{ rate: 1/s, per: subject }", "without auth.keys"), ("{ rate: 1/s, per: key }", "without auth.keys"),
      ("{ streams: 0 }", "must be between 1"), ("{ rats: 1/s }", "unknown key"),
      ("{ clients: 0 }", "must be between 1"),
    ])
  func faults(text: String, words: String) {
    let found = complaints("limits: \(text)\n")
    #expect(found.count == 1 && found[0].contains(words), "\(found)")
  }

  @Test("and what a method costs have to fit each other")
  func costs() throws {
    func yaml(_ limits: String, _ cost: String) -> String {
      """
      limits: \(limits)
      services:
        s: { pattern: rpc, connect: ["tcp://127.0.0.1:1"], methods: { settings: { big: { cost: \(cost) } } } }
      """
    }
    #expect(complaints(yaml("{ rate: 1/s, burst: 5 }", "5")) == [])
    let found = complaints(yaml("{ rate: 1/s, burst: 5 }", "6"))
    #expect(
      found.count == 1 && found[0].hasPrefix("1:22: limits.burst: contradiction: \"big\" of s costs 6"), "\(found)")
    #expect(complaints(yaml("{}", "0")).count == 1)
    let unused = try Configuration.load(yaml: yaml("{}", "6"), file: "f").notes
    #expect(unused.contains("services.s.methods.settings.big.cost: nothing is counted without limits.rate"))
  }

  @Test("and trusted proxies are ranges of addresses, and one header that is believed")
  func proxies() throws {
    let http = try Configuration.load(
      yaml: "http: { trusted-proxies: [10.0.0.0/8, \"::1\"], proxy-header: forwarded }", file: "f"
    ).http
    #expect(http.trustedProxies.count == 2 && http.proxyHeader == .forwarded)
    #expect(complaints("http: { trusted-proxies: 10.0.0.0/33 }")[0].contains("no range of addresses"))
    #expect(complaints("http: { trusted-proxies: proxy.example }").count == 1)
    #expect(complaints("http: { proxy-header: x-forwarded-for }")[0].contains("no effect without trusted-proxies"))
    #expect(complaints("http: { trusted-proxies: \"::1\", proxy-header: via }").count == 1)
  }
}
