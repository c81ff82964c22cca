import Glibc
import Support
import Testing

@testable import MessagePack

@Suite("numbers", .inTurn(minutes: 3))
struct NumberTests {
  @Test(
    "integers travel exactly in their shortest form, both ways",
    arguments: [
      ("0", "00"), ("127", "7f"), ("128", "cc80"), ("255", "ccff"), ("256", "cd0100"), ("65535", "cdffff"),
      ("65536", "ce00010000"), ("4294967295", "ceffffffff"), ("4294967296", "cf0000000100000000"),
      ("-1", "ff"), ("-32", "e0"), ("-33", "d0df"), ("-128", "d080"), ("-129", "d1ff7f"), ("-32768", "d18000"),
      ("-32769", "d2ffff7fff"), ("-2147483648", "d280000000"), ("-2147483649", "d3ffffffff7fffffff"),
      ("9007199254740993", "cf0020000000000001"), ("9223372036854775807", "cf7fffffffffffffff"),
      ("9223372036854775808", "cf8000000000000000"), ("18446744073709551615", "cfffffffffffffffff"),
      ("-9223372036854775808", "d38000000000000000"),
    ])
  func integers(json: String, packed: String) throws {
    #expect(hex(try pack(json)) == packed)
    #expect(try print(bytes(packed)) == json)
    #expect(hex(try pack("[\(json) ]")) == "91" + packed)
  }

  @Test("minus zero without a fraction is the integer zero")
  func minusZero() throws { #expect(hex(try pack("-0")) == "00") }

  @Test(
    "integers beyond 64 bits are refused with their place",
    arguments: [
      "18446744073709551616", "-9223372036854775809", "99999999999999999999", "100000000000000000000000",
      "-18446744073709551615",
    ])
  func integerRange(json: String) throws {
    let error = try #require(failure { () throws(TranscodingError) in try pack("{\"a\":[7,\(json)]}") })
    #expect(error.code == .notEncodable)
    #expect(error.pointer == "/a/1")
    #expect(error.offset == (json.hasPrefix("-") ? 9 : 8))
  }

  @Test(
    "a number with a fraction or exponent is the nearest double",
    arguments: [
      "0.0", "-0.0", "1.0", "0.1", "1e0", "1E+2", "1e-2", "3.141592653589793", "2.2250738585072014e-308", "5e-324",
      "4.9406564584124654e-324", "2.4703282292062328e-324", "1.7976931348623157e308",
      "9007199254740993.0", "9007199254740992.5", "9007199254740993e0", "123456789012345678.9", "0.30000000000000004",
      "179769313486231570000000000000000000000000000000000e258", "0e999999999999999999", "1.5e+00001",
      "0.000000000000000000000000000000000000000000000000001e+51", "18446744073709551615.0", "1234567890123456789e-19",
      "7.2057594037927933e16", "99999999999999974834176.0", "1448997445238699e0", "8.5e22", "1e23", "1e22",
      "6929495644600919.5", "3.5844466002796428e+298", "0.000123", "100000000000000016777215.0",
      "100000000000000016777216.0", "0.12345678901234567890123456789",
    ])
  func doubles(json: String) throws {
    let expected = try #require(Double(json))
    #expect(hex(try pack(json)) == hex(written(.double(expected))))
    #expect(hex(try pack("[\(json)]")) == "91" + hex(written(.double(expected))))
  }

  @Test("digits far behind the point still decide the rounding")
  func longDigits() throws {
    // Half way between 1 and the next double, then a little more after a thousand zeros.
    let half = "1.00000000000000011102230246251565404236316680908203125"
    let zeros = String(repeating: "0", count: 1_000)
    #expect(hex(try pack(half)) == hex(written(1.0)))
    #expect(hex(try pack(half + zeros)) == hex(written(1.0)))
    #expect(hex(try pack(half + zeros + "1")) == hex(written(.double(1.0.nextUp))))
    #expect(hex(try pack("0." + zeros + "12e1001")) == hex(written(1.2)))
    #expect(hex(try pack("12" + zeros + "e-1001")) == hex(written(1.2)))
    #expect(hex(try pack("-12" + zeros + ".0e-1001")) == hex(written(-1.2)))
  }

  @Test("random doubles come back the same through text of any length")
  func roundTrips() throws {
    var random = SplitMix(state: 1)
    for round in 0..<10_000 {
      var value = Double(bitPattern: random.next())
      // Half of them in everyday ranges, where the fast paths are.
      if round.isMultiple(of: 2) {
        let digits = Double(random.next() >> UInt64.random(in: 0..<64, using: &random))
        value = digits / [1, 10, 100, 1e3, 1e6, 1e9, 1e15][Int.random(in: 0..<7, using: &random)]
      }
      guard value.isFinite else { continue }
      let text = try print(written(.double(value)))
      #expect(text == value.description)
      #expect(text.contains { ".e".contains($0) })
      #expect(try pack(text) == written(.double(value)))
    }
  }

  @Test("random digits with a point are rounded as the standard library does")
  func randomDigits() throws {
    var random = SplitMix(state: 2)
    for _ in 0..<10_000 {
      let count = Int.random(in: 1...24, using: &random)
      var text = String((0..<count).map { _ in "0123456789".randomElement(using: &random) ?? "0" })
      while text.hasPrefix("0"), text.count > 1 { text.removeFirst() }
      text += ".\(UInt64.random(in: 0...(.max), using: &random) >> UInt64.random(in: 0..<63, using: &random))"
      if Bool.random(using: &random) { text += "e\(Int.random(in: -40...40, using: &random))" }
      #expect(try pack(text) == written(.double(try #require(Double(text)))), "\(text)")
    }
  }

  @Test(
    "a float that overflows, or that is not zero and becomes zero, is refused",
    arguments: [
      "1e309", "-1.8e308", "1e400", "1e99999999999999999999", "1e-400", "-1e-400", "2.4703282292062327e-324",
      "-1e-99999999999999999999", "0.\(String(repeating: "0", count: 400))1", "1.0e-1000",
    ])
  func range(json: String) throws {
    let error = try #require(failure { () throws(TranscodingError) in try pack("{\"a\":[\(json)]}") })
    #expect(error.code == .notEncodable)
    #expect(error.pointer == "/a/0")
    #expect(error.offset == 6)
  }

  @Test("zero is zero however it is written", arguments: ["0e-400", "0.000e-400", "0e400", "-0.0e400", "-0e-400"])
  func zeros(json: String) throws {
    #expect(try pack(json) == written(.double(json.hasPrefix("-") ? -0.0 : 0)))
    let long = json.replacing("0", with: "0.\(String(repeating: "0", count: 1_000))", maxReplacements: 1)
    if !json.contains(".") {
      #expect(try pack(long) == written(.double(json.hasPrefix("-") ? -0.0 : 0)))
    }
  }

  /// The digits of 2^`power`, and the power of ten that they are to be multiplied by. No digit is lost.
  private func exactly(twoToThe power: Int) -> (digits: [UInt8], exponent: Int) {
    var digits: [UInt8] = [1]
    // 2^-n is 5^n / 10^n.
    for _ in 0..<power.magnitude {
      var carry: UInt8 = 0
      for i in digits.indices.reversed() {
        let product = digits[i] * (power < 0 ? 5 : 2) + carry
        digits[i] = product % 10
        carry = product / 10
      }
      if carry > 0 { digits.insert(carry, at: 0) }
    }
    return (digits, min(power, 0))
  }

  private func text(_ digits: [UInt8], _ exponent: Int) -> String {
    digits.map(String.init).joined() + "e\(exponent)"
  }

  @Test("half of the smallest double is zero and so refused; anything above that is the smallest double")
  func smallest() throws {
    let (half, exponent) = exactly(twoToThe: -1075)
    var below = half
    below[below.count - 1] -= 1
    for sign in ["", "-"] {
      for refused in [text(half, exponent), text(half + [0, 0, 0], exponent - 3), text(below, exponent)] {
        #expect(failure { () throws(TranscodingError) in try pack(sign + refused) }?.code == .notEncodable)
      }
      let least = Double.leastNonzeroMagnitude
      let smallest = written(.double(sign.isEmpty ? least : -least))
      #expect(try pack(sign + text(half + [1], exponent - 1)) == smallest)
      #expect(try pack(sign + text(half + .init(repeating: 0, count: 500) + [1], exponent - 501)) == smallest)
      let (whole, place) = exactly(twoToThe: -1074)
      #expect(try pack(sign + text(whole, place)) == smallest)
    }
  }

  @Test("half way from the greatest double to 2^1024 is refused; anything below that is the greatest double")
  func greatest() throws {
    // 2^1024 - 2^970.
    var half = exactly(twoToThe: 1024).digits
    let step = exactly(twoToThe: 970).digits
    var borrow: Int8 = 0
    for i in 0..<half.count {
      let digit = Int8(half[half.count - 1 - i]) - (i < step.count ? Int8(step[step.count - 1 - i]) : 0) - borrow
      borrow = digit < 0 ? 1 : 0
      half[half.count - 1 - i] = UInt8(digit + borrow * 10)
    }
    var below = half
    below[below.count - 1] -= 1
    for sign in ["", "-"] {
      for refused in [text(half, 0), text(half + [0, 1], -2)] {
        #expect(failure { () throws(TranscodingError) in try pack(sign + refused) }?.code == .notEncodable)
      }
      let greatest = Double.greatestFiniteMagnitude
      #expect(try pack(sign + text(below, 0)) == written(.double(sign.isEmpty ? greatest : -greatest)))
      #expect(try pack(sign + text(below + [9, 9], -2)) == written(.double(sign.isEmpty ? greatest : -greatest)))
    }
  }

  @Test(
    "near both ends of the range, random numbers are what strtod(3) makes of them, or refused where it finds them out of range"
  )
  func ends() throws {
    var random = SplitMix(state: 3)
    var refused = 0
    for _ in 0..<20_000 {
      let count = Int.random(in: 1...40, using: &random)
      var digits = String((0..<count).map { _ in "0123456789".randomElement(using: &random) ?? "0" })
      digits.insert(".", at: digits.index(after: digits.startIndex))
      if digits.hasSuffix(".") { digits += "0" }
      let exponent =
        Bool.random(using: &random)
        ? Int.random(in: -330 ... -300, using: &random) : Int.random(in: 300...312, using: &random)
      let text = (Bool.random(using: &random) ? "-" : "") + digits + "e\(exponent)"
      let value = strtod(text, nil)
      if value.isInfinite || value == 0 && digits.contains(where: { ("1"..."9").contains($0) }) {
        refused += 1
        #expect(failure { () throws(TranscodingError) in try pack(text) }?.code == .notEncodable, "\(text)")
      } else {
        #expect(try pack(text) == written(.double(value)), "\(text)")
      }
    }
    #expect(refused > 1_000 && refused < 19_000)
  }

  @Test(
    "floats are written as the shortest text with a point or exponent",
    arguments: [
      ("cb4341c37937e08000", "1e+16"), ("cb8000000000000000", "-0.0"), ("cb0000000000000001", "5e-324"),
      ("cb3ff0000000000000", "1.0"), ("ca3dcccccd", "0.10000000149011612"), ("ca3fc00000", "1.5"),
      ("cb3fb999999999999a", "0.1"), ("cb3ee4f8b588e368f1", "1e-05"), ("cb42d6bcc41e900000", "100000000000000.0"),
      ("cb430c6bf526340000", "1000000000000000.0"), ("cbc028ae147ae147ae", "-12.34"),
    ])
  func shortest(packed: String, json: String) throws {
    #expect(try print(bytes(packed)) == json)
  }

  @Test("integers beyond 2^53 are strings on request")
  func strings() throws {
    let strings = MessagePackToJSON(integers: .string)
    for (value, json) in [
      (Value.int(9_007_199_254_740_992), "9007199254740992"), (.int(9_007_199_254_740_993), "\"9007199254740993\""),
      (.int(-9_007_199_254_740_992), "-9007199254740992"), (.int(-9_007_199_254_740_993), "\"-9007199254740993\""),
      (.uint(.max), "\"18446744073709551615\""), (.int(.min), "\"-9223372036854775808\""),
    ] {
      #expect(try print(written(value), strings) == json)
    }
  }

  @Test("NaN and infinities are null, a string or an error")
  func nonFinite() throws {
    let values = written([.double(.nan), .double(.infinity), .double(-.infinity)])
    #expect(try print(values) == "[null,null,null]")
    #expect(try print(values, .init(nonFinite: .string)) == #"["NaN","Infinity","-Infinity"]"#)
    let nested = written(["a/b~\"": [1, ["k": .double(.nan)]]])
    let error = try #require(
      failure { () throws(TranscodingError) in try print(nested, .init(nonFinite: .error)) })
    #expect(error.code == .notRepresentable)
    #expect(error.pointer == "/a~1b~0\"/1/k")
  }
}
