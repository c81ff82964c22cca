import Support
import Testing
import ZeroMQ
import ZeroMQRPC

@testable import Gateway

@Suite("What stands at /", .inTurn(minutes: 4))
struct HomeTests {
  private static let services = """
    s:
      pattern: rpc
      connect: ["ipc:///nowhere/s"]
      methods: { expose: [add, "get*", secret], hide: [secret], safe: ["get*", get.one], settings: { slow*: { timeout: 9s } } }
      routes: { "GET /users/{id}": "get.one(id:int)" }
    jobs: { pattern: pipeline, connect: ["ipc:///nowhere/jobs"], methods: { expose: [run] } }
    out: { pattern: pubsub, publish: { connect: ["ipc:///nowhere/out"] }, required: false }
    in: { pattern: pubsub, subscribe: { connect: ["ipc:///nowhere/in"] } }
    """

  @Test(
    "is JSON for curl: the services, the paths they are asked at, and what is known of them", arguments: ["", "/api"])
  func document(prefix: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(Self.services, http: prefix.isEmpty ? "" : "prefix: \(prefix)", threads: 1)
      let reply = try await gateway.http.send("GET", "\(prefix)/", headers: ["Accept": "*/*"])
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == "application/json")
      #expect(reply.headers["vary"] == "Accept")
      let services = reply.json["services"].elements
      #expect(services.map { $0["name"] } == ["s", "jobs", "out", "in"])
      #expect(services.map { $0["pattern"] } == ["rpc", "pipeline", "pubsub", "pubsub"])
      #expect(services[0]["call"] == .string("\(prefix)/rpc/s/{method}"))
      let add: JSON = ["name": "add", "safe": false]
      let one: JSON = ["name": "get.one", "safe": true]
      #expect(services[0]["methods"] == [add, one])
      #expect(
        services[0]["routes"] == [["verb": "GET", "path": .string("\(prefix)/users/{id}"), "method": "get.one"]])
      #expect(services[1]["push"] == .string("\(prefix)/push/jobs/{method}"))
      #expect(services[1]["methods"] == [["name": "run"]])
      #expect(services[2]["publish"] == .string("\(prefix)/pub/out/{topic}/{method}"))
      #expect(services[2]["subscribe"] == .null)
      #expect(services[3]["subscribe"] == .string("\(prefix)/sub/in"))
      #expect(services[3]["publish"] == .null)
      #expect(services.map { $0["required"] } == [true, true, false, true])
      #expect(services.allSatisfy { $0["connected"] == false })
      #expect(services[0]["endpoints"].elements[0]["endpoint"] == "ipc:///nowhere/s")
      for link in reply.json["links"].members {
        let status = try await gateway.http.send("GET", link.value.text ?? "").status
        #expect(status == (link.key == "ready" ? 503 : 200), "\(link.key)")
      }
    }
  }

  @Test(
    "is a page for those who want that before JSON",
    arguments: [
      ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true), ("text/html", true),
      ("text/html, application/json", true), ("text/html;q=0.5, application/json", false), ("*/*", false),
      ("text/*", false), ("application/json", false), ("text/html;q=0", false), ("image/png", false),
    ])
  func page(accept: String, isPage: Bool) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(Self.services, threads: 1)
      let reply = try await gateway.http.send("GET", "/", headers: ["Accept": accept])
      #expect(reply.status == 200)
      #expect(reply.headers["content-type"] == (isPage ? "text/html; charset=utf-8" : "application/json"))
      #expect(reply.headers["vary"] == "Accept")
      #expect((reply.headers["content-security-policy"] != nil) == isPage)
    }
  }

  @Test("leaves out addresses where other machines can ask")
  func elsewhere() async throws {
    try await Rig.with { rig in
      let yaml = """
        auth: none
        http: { listen: ["0.0.0.0:0"], threads: 1 }
        services: { s: { pattern: rpc, connect: ["ipc:///nowhere/s"] } }
        """
      let gateway = LiveGateway(
        try await Gateway.start(try Configuration.load(yaml: yaml, file: "test.yaml"), logger: Rig.logger))
      rig.cleanup.add { await gateway.stop() }
      let reply = try await gateway.http.send("GET", "/")
      #expect(reply.json["services"].elements.map { $0["name"] } == ["s"])
      #expect(!reply.body.contains("nowhere"))
    }
  }

  @Test(
    "is a console in a browser: it calls, shows problems and exact numbers, pushes, follows a stream, and asks nobody else",
    .enabled("\(Browser.comment)") { try await Browser.isThere() }, arguments: ["", "/api"])
  func console(prefix: String) async throws {
    try await Cleanup.with { cleanup in
      let gateway = try await Rig.demonstration(prefix: prefix, cleanup)
      let url = "http://127.0.0.1:\(gateway.http.port)\(prefix)/"
      let shown = try #require(try await Browser.lines(of: "console.py", url).first)
      #expect(shown["state"] == "3 services, all connected")
      #expect(shown["services"] == ["calc", "jobs", "news"])
      #expect(shown["background"] == "rgb(20, 23, 28)")
      #expect(shown["call"]["curl"] == .string("curl -d '[2, 3]' \(url)rpc/calc/add"))
      let answer = try #require(shown["call"]["answer"].text)
      #expect(answer.hasPrefix("200 ") && answer.hasSuffix("\n\n5"), "\(answer)")
      #expect(answer.contains("\ncontent-type: application/json\n"), "\(answer)")
      #expect(shown["exact"]["answer"].text?.hasSuffix("\n\n12345678901234567890") == true)
      #expect(shown["problem"]["curl"].text?.contains(#"-d '["it'\''s <b>bold</b>"]'"#) == true)
      #expect(shown["problem"]["answer"].text?.contains("it's <b>bold</b>") == true)
      #expect(shown["call"]["frames"] == "method  61 64 64\nargs    92 02 03\nkwargs  80")
      #expect(shown["exact"]["frames"].text?.contains("args    91 cf ab 54 a9 8c eb 1f 0a d2") == true)
      let form = try #require(shown["form"]["answer"].text)
      #expect(form.hasPrefix("200 ") && form.hasSuffix("\n\n42"), "\(form)")
      #expect(shown["form"]["curl"] == .string("curl -d '{\"a\": 2, \"b\": 40}' \(url)rpc/calc/add"))
      #expect(shown["missing"]["message"] == "it has to be given")
      #expect(shown["missing"]["focus"] == true)
      #expect(shown["missing"]["answer"] == "")
      #expect(shown["answered"] == true && shown["chosen"] == ["div", false, false])
      #expect(shown["unnamed"] == ["name a method", 0, true], "\(shown["unnamed"])")
      #expect(shown["push"]["answer"].text?.hasPrefix("202 ") == true)
      #expect(shown["event"].text?.contains(#""args":["resize","a.png"]"#) == true)
      #expect(shown["kept"] == true)
      #expect(shown["labels"] == true)
      #expect(shown["foreign"] == [])
      // A browser complains of each answer that is no success; of nothing else.
      #expect(
        shown["complaints"].elements.allSatisfy {
          $0.text?.contains("the server responded with a status of 400") == true
        })
    }
  }
}

@Suite("The forms of the console", .inTurn(minutes: 4))
struct ConsoleFormTests {
  @Test(
    "show the method that is chosen, defaults, and how bytes are written, and tell null from text; what was not answered is asked for again",
    .enabled("\(Browser.comment)") { try await Browser.isThere() })
  func forms() async throws {
    try await Rig.with { rig in
      var shop = Methods()
      shop.add(
        "order", "item", Parameter("count", default: 3), Parameter("gift", default: nil),
        Parameter("note", default: nil),
        Parameter("wrap", default: [UInt8]())
      ) { (item: String, count: Int, gift: Bool?, note: String?, wrap: [UInt8]) in count }
      shop.add("stock", "item") { (item: String) in 1 }
      let service = try await RPCService.start(shop, bind: [rig.directory.endpoint("shop")], in: Context()) {
        $0.describes = true
      }
      rig.cleanup.add { await service.close() }
      let yaml = #"shop: { pattern: rpc, connect: ["\#(rig.directory.endpoint("shop"))"], describe: true }"#
      let gateway = try await rig.gateway(yaml, threads: 1)
      try await eventually("the description") {
        try await gateway.http.get("/").json["services"][0]["methods"].elements.count == 2
      }
      let url = "http://127.0.0.1:\(gateway.http.port)/"
      let shown = try #require(try await Browser.lines(of: "console_forms.py", url).first)
      #expect(shown["lost"] == 1)
      #expect(shown["state"] == "1 service, connected")
      #expect(shown["pressed"] == [["order"], ["stock"]])
      #expect(shown["gifts"] == ["", "true", "false", "null"])
      #expect(
        shown["labels"] == [
          "item (str)", "count (int, may be left out: 3)", "gift (bool | None, may be left out: null)",
          "note (str | None, may be left out: null)", "wrap (bytes, may be left out)",
        ])
      #expect(shown["text"] == .string(#"curl -d '{"item": "null"}' \#(url)rpc/shop/order"#))
      #expect(
        shown["nothing"] == .string(#"curl -d '{"item": "null", "gift": null, "note": "null"}' \#(url)rpc/shop/order"#))
      #expect(shown["bytes"] == #"JSON, such as {"$bin": "AAEC"}, which are bytes in Base64"#)
    }
  }
}

@Suite("The pages of a gateway", .inTurn(minutes: 4))
struct PageTests {
  @Test(
    "fit a telephone, are light or dark as it wants them, and have nothing that a browser complains of",
    .enabled("\(Browser.comment)") { try await Browser.isThere() })
  func narrow() async throws {
    try await Cleanup.with { cleanup in
      let gateway = try await Rig.demonstration(prefix: "", cleanup)
      let paths = ["/", "/docs", "/problems", "/problems/timeout", "/status"]
      let url = "http://127.0.0.1:\(gateway.http.port)"
      let lines = try await Browser.lines(of: "narrow_pages.py", [url] + paths)
      #expect(lines.map { $0["path"].text } == paths)
      for page in lines {
        #expect(page["width"] == 390 && page["complaints"] == [], "\(page)")
        #expect(page["light"].text != nil && page["light"] != page["dark"], "\(page)")
      }
    }
  }
}

@Suite("What stands at /docs", .inTurn(minutes: 4))
struct DocsTests {
  @Test("is a page and its files, below the prefix", arguments: ["", "/api"])
  func files(prefix: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway(
        #"s: { pattern: rpc, connect: ["ipc:///nowhere/s"] }"#, http: prefix.isEmpty ? "" : "prefix: \(prefix)",
        threads: 1)
      let page = try await gateway.http.get("\(prefix)/docs")
      #expect(page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(page.headers["content-security-policy"]?.contains("script-src 'self';") == true)
      for (file, start) in [
        ("start.js", "cons".bytes), ("swagger-ui-bundle.js", Self.gzip), ("swagger-ui.css", Self.gzip),
      ] {
        #expect(page.body.contains("docs/\(file)"))
        let reply = try await gateway.http.get("\(prefix)/docs/\(file)")
        #expect(reply.status == 200)
        #expect(Array(reply.bytes.prefix(start.count)) == start)
        #expect((reply.headers["content-encoding"] == "gzip") == (start == Self.gzip))
      }
      for target in ["/docs/", "/docs/nothing.js", "/docs/start.js/x"] {
        #expect(try await gateway.http.get(prefix + target).json["code"] == "no-such-route", "\(target)")
      }
    }
  }

  private static let gzip: [UInt8] = [0x1F, 0x8B, 8]

  @Test(
    "shows the document in a browser, tries a method of one's own, and asks nobody else",
    .enabled("\(Browser.comment)") { try await Browser.isThere() }, arguments: ["", "/api"])
  func browser(prefix: String) async throws {
    try await Cleanup.with { cleanup in
      let gateway = try await Rig.demonstration(prefix: prefix, cleanup)
      let url = "http://127.0.0.1:\(gateway.http.port)\(prefix)/docs"
      let shown = try #require(try await Browser.lines(of: "docs.py", url).first)
      #expect(shown["title"].text?.contains("zmq-gateway") == true)
      // One's own before those of every gateway, and no verb that each path has.
      #expect(shown["tags"] == ["calc", "jobs", "news", "calls", "events", "operations"])
      #expect(shown["verbs"] == ["delete", "get", "post"])
      #expect(shown["request"].text?.hasSuffix("\(prefix)/rpc/calc/add") == true, "\(shown)")
      #expect(shown["status"] == "200")
      #expect(shown["answer"] == "5")
      #expect(shown["complaints"] == [])
      #expect(shown["foreign"] == [])
    }
  }
}

@Suite("What stands at /problems", .inTurn(minutes: 3))
struct ProblemPageTests {
  @Test(
    "is Markdown, and HTML for those who want that before", arguments: ["/problems", "/problems/timeout"])
  func forms(path: String) async throws {
    try await Rig.with { rig in
      let gateway = try await rig.gateway("s: { pattern: rpc, connect: [\"ipc:///nowhere/s\"] }", threads: 1)
      let text = try await gateway.http.send("GET", path)
      #expect(text.headers["content-type"] == "text/markdown; charset=utf-8")
      #expect(text.body.hasPrefix("# "))
      let page = try await gateway.http.send("GET", path, headers: ["Accept": "text/html,*/*;q=0.8"])
      #expect(page.headers["content-type"] == "text/html; charset=utf-8")
      #expect(page.body.hasPrefix("<!doctype html>"))
      #expect(page.body.contains("<a href=\"../problems\">") == (path != "/problems"))
      #expect(text.headers["vary"] == "Accept" && page.headers["vary"] == "Accept")
    }
  }
}
