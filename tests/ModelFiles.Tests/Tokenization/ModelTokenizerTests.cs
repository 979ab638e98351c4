using System.Text;
using System.Text.Json;
using ClusterLlm.Testing;
using FsCheck.Xunit;
using Microsoft.ML.Tokenizers;

namespace ClusterLlm.ModelFiles.Tests.Tokenization;

public class ModelTokenizerTests
{
    private const string Mixed = "Grüße 🙂👩‍👩‍👧 你好\r\n\tx=1;  'll  ";

    private static readonly ModelTokenizer Llama3 = ModelTokenizer.Load(TestModels.PathOf("llama3-rope-scaling"));

    public static TheoryData<string> Models => [.. TestModels.All];

    [Theory]
    [MemberData(nameof(Models))]
    public void Decode_OfEncoded_GivesTheText(string name)
    {
        var tokenizer = ModelTokenizer.Load(TestModels.PathOf(name));

        Assert.Equal(Mixed, tokenizer.Decode(tokenizer.Encode(Mixed, addSpecialTokens: false), skipSpecialTokens: false));
    }

    [Property(MaxTest = 300)]
    public void Decode_OfAnyText_GivesTheText(string text)
    {
        // A lone surrogate is no text; encoders write U+FFFD for it.
        var valid = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));

        Assert.Equal(valid, Llama3.Decode(Llama3.Encode(valid, addSpecialTokens: true), skipSpecialTokens: true));
    }

    [Fact]
    public void TextStream_TokenByToken_NeverGivesHalfACharacter()
    {
        var stream = Llama3.CreateTextStream();
        StringBuilder text = new();
        foreach (var id in Llama3.Encode(Mixed, addSpecialTokens: true))
        {
            var piece = stream.Append(id);
            Assert.DoesNotContain('\uFFFD', piece);
            Assert.False(piece.Length > 0 && (char.IsHighSurrogate(piece[^1]) || char.IsLowSurrogate(piece[0])), piece);
            text.Append(piece);
        }

        Assert.Equal("", stream.Finish());
        Assert.Equal(Mixed, text.ToString());
    }

    [Fact]
    public void TextStream_CutAnywhere_GivesWhatDecodeGives()
    {
        var ids = Llama3.Encode(Mixed, addSpecialTokens: false).ToArray();
        for (var cut = 0; cut <= ids.Length; cut++)
        {
            var stream = Llama3.CreateTextStream();
            var pieces = string.Concat(ids[..cut].Select(stream.Append)) + stream.Finish();
            Assert.Equal(Llama3.Decode(ids[..cut], skipSpecialTokens: true), pieces);
            Assert.Equal(Encoding.UTF8.GetString([.. ids[..cut].SelectMany(Llama3.TokenBytes)]), pieces);
        }
    }

    [Fact]
    public void SpecialToken_InTheText_IsOneIdAndLeftOutWhenAsked()
    {
        var ids = Llama3.Encode("a<|eot_id|>b", addSpecialTokens: false);

        Assert.Equal(511, ids[1]);
        Assert.Equal((true, false, 511), (Llama3.IsSpecial(511), Llama3.IsSpecial(64), Llama3.TokenId("<|eot_id|>")));
        Assert.Equal("ab", Llama3.Decode(ids, skipSpecialTokens: true));
        Assert.Equal("a<|eot_id|>b", Llama3.Decode(ids, skipSpecialTokens: false));
        Assert.Equal("<|eot_id|>", Llama3.TokenText(511));
        Assert.Equal([], Llama3.TokenBytes(99_999));
        Assert.Null(Llama3.TokenId("no such token"));
    }

    [Theory]
    [InlineData("x <t> y", """{"lstrip":true}""", "x", "<t>", " y")]
    [InlineData("x <t> y", """{"rstrip":true}""", "x ", "<t>", "y")]
    [InlineData("x<t>y", """{"single_word":true}""", "x<t>y")]
    [InlineData("x <t> y", """{"single_word":true}""", "x ", "<t>", " y")]
    [InlineData("<t><t>", "{}", "<t>", "<t>")]
    public void AddedToken_WithOptions_IsCutAsTheySay(string text, string options, params string[] parts)
    {
        using var json = JsonDocument.Parse(options);
        bool Has(string name) => json.RootElement.TryGetProperty(name, out _);
        AddedTokens tokens = new([new AddedToken(7, "<t>", Has("single_word"), Has("lstrip"), Has("rstrip"), false, true)]);

        Assert.Equal(parts, tokens.Split(text).Select(part => part.Text));
    }

    [Fact]
    public void AddedToken_OfSeveralThatMatch_IsTheLongest()
    {
        AddedTokens tokens = new([new AddedToken(1, "<a", false, false, false, false, true), new AddedToken(2, "<a>", false, false, false, false, true)]);

        Assert.Equal([2, null, 1], tokens.Split("<a>x<a").Select(part => part.Id));
    }

    /// <summary>A second opinion on merging, where the other implementation can do what the file asks.</summary>
    [Property(MaxTest = 300)]
    public void Encode_AnyWord_EqualsMicrosoftMlTokenizers(string text)
    {
        var word = new string([.. (text ?? "").Where(char.IsAsciiLetter)]);
        var other = SecondOpinion.Value.EncodeToIds(word, considerPreTokenization: false);

        Assert.Equal(other, SecondOpinionOurs.Value.Encode(word, addSpecialTokens: false));
    }

    [Fact(Timeout = 30_000)]
    public async Task Encode_OneWordOf100kB_TakesLittleTime()
    {
        var word = new string([.. Enumerable.Range(0, 100_000).Select(i => (char)('a' + (((i * 7919) + (i / 13)) % 26)))]);

        var ids = await Task.Run(() => Llama3.Encode(word, addSpecialTokens: false), TestContext.Current.CancellationToken);

        Assert.Equal(word, Llama3.Decode(ids, skipSpecialTokens: false));
    }

    [Theory]
    [InlineData("""{"model":{"type":"Unigram","vocab":[]}}""", "model.type", "only BPE")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":-1},"merges":[]}}""", "model.vocab['a']", "-1")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]}}""", "model.merges[0]", "'ab'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{"a":0},"merges":["ab"]}}""", "model.merges[0]", "\"ab\"")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[],"unk_token":"u"}}""", "model.unk_token", "'u'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[]},"normalizer":{"type":"NFKC"}}""", "normalizer", "NFKC; supported are NFC")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"(a"},"behavior":"Isolated"}}""", "pre_tokenizer", "(a")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[]},"pre_tokenizer":{"type":"Split","pattern":{"Regex":"a"},"behavior":"Split"}}""", "pre_tokenizer.behavior", "'Split'")]
    [InlineData("""{"model":{"type":"BPE","vocab":{},"merges":[]},"added_tokens":[{"id":1e9,"content":"x"}]}""", "added_tokens[0]", "1e9")]
    [InlineData("""{}""", "model", "is missing")]
    public void Parse_WrongPart_NamesPartAndValue(string json, string item, string problem)
    {
        var error = Assert.Throws<ModelFileException>(() => ModelTokenizer.Parse(Encoding.UTF8.GetBytes(json), "tokenizer.json"));

        Assert.Equal(item, error.Item);
        Assert.Contains(problem, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void LoadTokenizer_MoreIdsThanTheModelHas_SaysBoth()
    {
        using ModelCopy copy = new("llama-f32");
        copy.EditJson("tokenizer.json", tokenizer => tokenizer["added_tokens"]![0]!["id"] = 600);

        var error = Assert.Throws<ModelFileException>(() => ModelFolder.Open(copy.Folder).LoadTokenizer());

        Assert.Contains("ids up to 600, but config.json says vocab_size 512", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Encode_SentencePieceStyle_FallsBackToBytes()
    {
        const string Json = """
            {"normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
             "model":{"type":"BPE","byte_fallback":true,"fuse_unk":true,"unk_token":"<unk>",
               "vocab":{"<unk>":0,"<0xC3>":1,"<0xA9>":2,"▁":3,"a":4,"▁a":5},"merges":["▁ a"]},
             "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}}
            """;
        var tokenizer = ModelTokenizer.Parse(Encoding.UTF8.GetBytes(Json), "tokenizer.json");

        var ids = tokenizer.Encode("a aéxy", addSpecialTokens: false);

        Assert.Equal([5, 5, 1, 2, 0], ids);
        Assert.Equal("a aé<unk>", tokenizer.Decode(ids, skipSpecialTokens: false));
    }

    private static readonly Lazy<ModelTokenizer> SecondOpinionOurs = new(() => ModelTokenizer.Load(TestModels.PathOf("demo-3m")));

    private static readonly Lazy<BpeTokenizer> SecondOpinion = new(() =>
    {
        using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(TestModels.PathOf("demo-3m"), "tokenizer.json")));
        var model = json.RootElement.GetProperty("model");
        return BpeTokenizer.Create(new BpeOptions(model.GetProperty("vocab").EnumerateObject().Select(token => KeyValuePair.Create(token.Name, token.Value.GetInt32())))
        {
            Merges = model.GetProperty("merges").EnumerateArray().Select(pair => $"{pair[0].GetString()} {pair[1].GetString()}"),
            ByteLevel = true,
        });
    });
}
