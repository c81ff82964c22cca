import Support
import Testing

/// What HTTP answers against what Python's own client gets for the same calls. `make test` sets ZMQ_GATEWAY_PYTHON.
@Suite(
  "the same calls by HTTP and by Python", .inTurn(minutes: 3), .enabled(if: Python.isThere, "\(Python.comment)"))
struct ParityTests {
  /// Method, and its arguments as the JSON that both sides read alike.
  static let calls: [(method: String, args: String, kwargs: String)] = [
    ("ping", "[]", "{}"), ("none", "[]", "{}"), ("add", "[1]", "{}"), ("add", "[1]", #"{"b":5}"#),
    ("ints", "[]", "{}"), ("floats", "[]", "{}"), ("strings", "[]", "{}"),
    ("large", "[0]", "{}"), ("large", "[1]", "{}"), ("large", "[100000]", "{}"), ("large_list", "[3000]", "{}"),
    ("deep", "[50]", "{}"), ("depth", "[[[[[1]]]]]", "{}"), ("size", #"["héllo"]"#, "{}"),
    ("reverse", #"["abc"]"#, "{}"), ("reverse", "[[1,2.5,null,true]]", "{}"),
    ("echo", #"["\u0000\u001f\"\\/ \ud83d\ude00 \u2028 é 世界"]"#, "{}"),
    ("echo", "[[0,-1,127,128,255,256,65535,65536,4294967295,4294967296,9007199254740993]]", "{}"),
    ("echo", "[[-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649,-9007199254740993]]", "{}"),
    ("echo", "[[0.1,1.0,-0.0,1e300,5e-324,1.5,1e16,123456789.125,1e22,1e21]]", "{}"),
    ("echo", #"[{"":{"b":[],"a":{}},"z":1,"a":2}]"#, "{}"),
    ("describe", "[1]", "{}"), ("describe", "[1.0]", "{}"), ("describe", #"["x"]"#, "{}"), ("describe", "[null]", "{}"),
    ("describe", "[[1,[2]]]", "{}"), ("describe", #"[{"a":{"b":1}}]"#, "{}"),
    ("describe", "[18446744073709551615]", "{}"),
    ("describe", "[-9223372036854775808]", "{}"), ("describe", "[1E2]", "{}"), ("describe", "[-0]", "{}"),
    ("describe", "[true]", "{}"), ("describe", #"["\u0000"]"#, "{}"),
    ("echo_call", "[1,2]", #"{"x":[3],"y":{"k":"v"}}"#), ("math.div", "[7,2]", "{}"), ("math.divmod", "[-7,2]", "{}"),
    ("math.total", "[1,2,3]", #"{"start":0.5}"#), ("typed.add", #"["a","b"]"#, "{}"),
    ("validated.add", #"["1","2"]"#, "{}"), ("table.subnamespace.b", "[]", "{}"), ("dyn.a.b.func", "[]", "{}"),
    ("dates.sample", #"["date"]"#, "{}"), ("dates.sample", #"["time"]"#, "{}"), ("dates.sample", #"["time_us"]"#, "{}"),
    ("dates.sample", #"["time_utc"]"#, "{}"), ("dates.sample", #"["time_fold"]"#, "{}"),
    ("dates.sample", #"["datetime"]"#, "{}"), ("dates.sample", #"["datetime_utc"]"#, "{}"),
    ("dates.sample", #"["datetime_offset"]"#, "{}"), ("dates.sample", #"["datetime_named"]"#, "{}"),
    ("dates.sample", #"["datetime_zone"]"#, "{}"), ("dates.sample", #"["datetime_fold"]"#, "{}"),
    ("builtin_exceptions", "[]", "{}"), ("methods", "[]", "{}"),
    ("echo", "[{\"$bin\":\"AAH/\"}]", "{}"), ("point.make", "[1,2]", "{}"),
  ]

  @Test("RPC-4: a result is what Python's client gets")
  func results() async throws {
    let peer = try await PythonPeer.shared.value
    // Python's side writes bytes in another way.
    let lines = Self.calls.map { call in
      let args = call.args.contains("$bin") ? #"[{"$bytes":"0001ff"}]"# : call.args
      return #"{"method":"\#(call.method)","args":\#(args),"kwargs":\#(call.kwargs)}"#
    }
    let results = try await Python.lines(of: "peer_calls.py", [peer.rpc], input: lines.joined(separator: "\n") + "\n")
    #expect(results.count == Self.calls.count)
    for (call, result) in zip(Self.calls, results) {
      let body = #"{"args":\#(call.args),"kwargs":\#(call.kwargs)}"#
      let reply = try await Rig.http.post("/rpc/math/\(call.method)", body)
      #expect(reply.status == 200, "\(call) \(reply.body)")
      var expected = result["result"].asGatewayShows
      if call.method == "point.make" { expected = ["$ext": [0, "kgEC"]] }
      #expect(
        result["ok"] == true && reply.json.isSame(as: expected), "\(call): \(reply.body.prefix(300)) for \(expected)")
    }
  }

  @Test(
    "dates that Python has no text for are ISO 8601 too",
    arguments: [
      ("timedelta", "P1DT2H3M4.000005S"), ("timedelta_negative", "-PT0.000001S"), ("tz_utc", "+00:00"),
      ("tz_offset", "+05:30"), ("tz_zone", "Europe/Paris"),
    ])
  func dates(sample: String, text: String) async throws {
    let reply = try await Rig.http.post("/rpc/math/dates.sample", "[\"\(sample)\"]")
    #expect(reply.json == .string(text))
  }

  @Test(
    "a map with keys that are no strings, which Python's own client cannot read, is shown with their text or as pairs")
  func integerKeys() async throws {
    let http = try await Rig.http
    #expect(try await http.post("/rpc/math/danger.int_keys").body == #"{"1":"one","2":"two"}"#)
    #expect(try await http.post("/rpc/pairs/danger.int_keys").body == #"{"$map":[[1,"one"],[2,"two"]]}"#)
  }

  @Test("large integers as strings and non-finite floats as names, where the service says so")
  func style() async throws {
    let http = try await Rig.http
    let ints = try await http.post("/rpc/pairs/ints").body
    #expect(
      ints
        == #"[0,127,128,4294967296,9007199254740992,"9223372036854775807","18446744073709551615",-1,-32,-33,"-9223372036854775808"]"#
    )
    let floats = try await http.post("/rpc/pairs/floats").body
    #expect(
      floats
        == #"[0.0,-0.0,1.0,1.5,"NaN","Infinity","-Infinity",5e-324,1.7976931348623157e+308]"#)
    let strict = try await http.post("/rpc/strict/floats")
    #expect(strict.status == 502)
    #expect(strict.json["code"] == "reply-not-representable")
    #expect(strict.json["pointer"] == "/4")
    #expect(strict.json["sent"] == true)
  }

  @Test("bytes of half a megabyte travel both ways unharmed")
  func large() async throws {
    let http = try await Rig.http
    let made = try await http.post("/rpc/math/large", "[500000]")
    let back = try await http.post("/rpc/math/size", "[\(made.body)]")
    #expect(back.body == "500000")
    let reversed = try await http.post("/rpc/math/reverse", "[\(made.body)]")
    let again = try await http.post("/rpc/math/reverse", "[\(reversed.body)]")
    #expect(reversed.body != made.body)
    #expect(again.body == made.body)
  }
}
