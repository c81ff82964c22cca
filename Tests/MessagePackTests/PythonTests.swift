import Foundation
import Support
import Testing

@testable import MessagePack

/// The differential tests against Python's own `json` and `msgpack`.
@Suite("against Python", .inTurn(minutes: 3))
struct PythonTests {
  static let python = ProcessInfo.processInfo.environment["ZMQ_GATEWAY_PYTHON"]

  /// Reads lines of hex: JSON text, and the MessagePack bytes made of it. Prints what differs.
  static let compareJSON = """
    import sys, json, msgpack
    def same(a, b):
        if type(a) is not type(b): return False
        if isinstance(a, dict): return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
        if isinstance(a, list): return len(a) == len(b) and all(map(same, a, b))
        return repr(a) == repr(b)
    for line in sys.stdin:
        text, packed = (bytes.fromhex(h) for h in line.split("|"))
        value = json.loads(text)
        if msgpack.packb(value, use_bin_type=True) != packed: print("packs", text, packed.hex())
        if not same(msgpack.unpackb(packed, raw=False), value): print("reads", text, packed.hex())
    print("done")
    """

  /// Prints random documents of Python's making: the bytes, and the JSON text as json.dumps writes it.
  static let make = """
    import random, json, msgpack
    random.seed(11)
    def value(d):
        r = random.randrange(12 if d else 8)
        if r == 0: return None
        if r == 1: return random.random() < .5
        if r == 2: return random.getrandbits(random.randrange(1, 65))
        if r == 3: return -random.getrandbits(random.randrange(1, 64))
        if r == 4: return random.choice([random.random(), random.uniform(-1e6, 1e6), 10.0 ** random.randrange(-320, 308)])
        if r == 5: return round(random.uniform(-1000, 1000), random.randrange(5))
        if r < 8: return "".join(random.choice("ab \\"\\\\/\\n\\x00\\x7fé€😀") for _ in range(random.randrange(40)))
        if r < 10: return [value(d - 1) for _ in range(random.randrange(20))]
        return {value_key(): value(d - 1) for _ in range(random.randrange(20))}
    def value_key(): return "".join(random.choice("abé\\"") for _ in range(random.randrange(12)))
    for _ in range(400):
        v = value(4)
        for ascii in (False, True):
            text = json.dumps(v, ensure_ascii=ascii, separators=(",", ":") if not ascii else None)
            print(msgpack.packb(v, use_bin_type=True).hex() + "|" + text.encode().hex())
    """

  @Test(
    "what Python writes comes out as the same bytes and values",
    .enabled(if: python != nil, "ZMQ_GATEWAY_PYTHON names no Python with msgpack"))
  func fromPython() throws {
    let lines = try run(Self.make, input: "").split(separator: "\n")
    #expect(lines.count == 800)
    var back = ""
    for line in lines {
      let parts = line.split(separator: "|").map { bytes(String($0)) }
      #expect(try pack(parts[1]) == parts[0])
      // Our JSON of Python's bytes must mean to Python what those bytes mean.
      back += "\(hex(Array(try print(parts[0]).utf8)))|\(hex(parts[0]))\n"
    }
    #expect(try run(Self.compareJSON, input: back) == "done\n")
  }

  @Test(
    "random values of ours read the same in Python",
    .enabled(if: python != nil, "ZMQ_GATEWAY_PYTHON names no Python with msgpack"))
  func toPython() throws {
    var random = SplitMix(state: 12)
    var lines = ""
    for _ in 0..<800 {
      let packed = written(.random(depth: 4, isPlain: true, using: &random))
      lines += "\(hex(Array(try print(packed).utf8)))|\(hex(packed))\n"
    }
    #expect(try run(Self.compareJSON, input: lines) == "done\n")
  }

  private func run(_ script: String, input: String) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: try #require(Self.python))
    process.arguments = ["-c", script]
    let (stdin, stdout) = (Pipe(), Pipe())
    process.standardInput = stdin
    process.standardOutput = stdout
    try process.run()
    // The input must not wait for the output to be read: pipes hold little.
    let writer = Thread {
      stdin.fileHandleForWriting.write(Data(input.utf8))
      try? stdin.fileHandleForWriting.close()
    }
    writer.start()
    let output = try stdout.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: output, as: UTF8.self)
  }
}
