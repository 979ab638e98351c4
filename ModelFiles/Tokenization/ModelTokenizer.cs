using System.Text;
using System.Text.RegularExpressions;

namespace ClusterLlm.ModelFiles;

/// <summary>Text to token ids and back, as a model's tokenizer.json says. Thread safe.</summary>
public sealed class ModelTokenizer
{
    private const long MaxBytes = 256 << 20;

    private readonly BpeVocabulary _vocabulary;
    private readonly TextPipeline _pipeline;
    private readonly TokenDecoding _decoding;
    private readonly IReadOnlyList<int> _before;
    private readonly IReadOnlyList<int> _after;
    private readonly AddedTokens _rawTokens;
    private readonly AddedTokens _normalizedTokens;
    private readonly string?[] _tokens;
    private readonly HashSet<int> _special;
    private readonly Dictionary<string, int> _added;

    internal ModelTokenizer(
        BpeVocabulary vocabulary, IReadOnlyCollection<AddedToken> added, TextPipeline pipeline, TokenDecoding decoding, IReadOnlyList<int> before, IReadOnlyList<int> after)
    {
        (_vocabulary, _pipeline, _decoding, _before, _after) = (vocabulary, pipeline, decoding, before, after);
        _rawTokens = new AddedTokens(added.Where(token => !token.Normalized));
        _normalizedTokens = new AddedTokens(added.Where(token => token.Normalized).Select(token => token with { Content = pipeline.Normalizer(token.Content) }));
        _special = [.. added.Where(token => token.Special).Select(token => token.Id)];
        _added = added.DistinctBy(token => token.Content).ToDictionary(token => token.Content, token => token.Id, StringComparer.Ordinal);
        _tokens = new string?[1 + Math.Max(vocabulary.Ids.Values.DefaultIfEmpty(-1).Max(), added.Select(token => token.Id).DefaultIfEmpty(-1).Max())];
        foreach (var (token, id) in vocabulary.Ids.Concat(_added))
        {
            _tokens[id] = token;
        }
    }

    /// <summary>One more than the highest id; a model's output may have more entries than that, never fewer.</summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>Reads <c>tokenizer.json</c> of a folder.</summary>
    /// <exception cref="ModelFileException">The file is missing or damaged, or asks for something that is not supported.</exception>
    public static ModelTokenizer Load(string folder)
    {
        var path = Path.Combine(folder, "tokenizer.json");
        return Parse(ModelFileReader.ReadBytes(path, MaxBytes), path);
    }

    /// <summary>Parses the bytes of a tokenizer.json.</summary>
    public static ModelTokenizer Parse(ReadOnlyMemory<byte> json, string path) => new TokenizerReader(path).Read(json);

    /// <summary>Encodes text; added tokens (<c>&lt;|im_end|&gt;</c>) in it are recognised.</summary>
    /// <param name="addSpecialTokens">Adds what the file's template has around a text (a begin-of-text token for many models). A rendered chat has it already.</param>
    /// <exception cref="ModelFileException">A pattern of the file takes too long on this text.</exception>
    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens)
    {
        List<int> ids = [.. addSpecialTokens ? _before : []];
        BpeModel model = new(_vocabulary, _pipeline.IsByteLevel);
        try
        {
            var isFirst = true;
            foreach (var (id, part) in Parts(text))
            {
                if (id is { } added)
                {
                    ids.Add(added);
                }
                else
                {
                    EncodeWords(model, part, isFirst, ids);
                }

                isFirst = false;
            }
        }
        catch (RegexMatchTimeoutException exception)
        {
            throw new ModelFileException("tokenizer.json", "pre_tokenizer", $"the pattern {exception.Pattern} takes too long on a text of {text.Length} characters", exception);
        }

        ids.AddRange(addSpecialTokens ? _after : []);
        return ids;
    }

    /// <summary>The text of ids; ids that no token has are left out, bytes that are no UTF-8 become U+FFFD.</summary>
    public string Decode(IEnumerable<int> ids, bool skipSpecialTokens)
    {
        var stream = CreateTextStream(skipSpecialTokens);
        StringBuilder text = new();
        foreach (var id in ids)
        {
            text.Append(stream.Append(id));
        }

        return text.Append(stream.Finish()).ToString();
    }

    /// <summary>A decoder for tokens that come one by one. Its pieces joined are what <see cref="Decode"/> gives.</summary>
    public TokenTextDecoder CreateTextStream(bool skipSpecialTokens = true) => new(this, skipSpecialTokens, _decoding.StripStart);

    /// <summary>The bytes that a token adds to the text; empty when no token has the id. They need not be whole characters.</summary>
    public byte[] TokenBytes(int id) => Token(id) is { } token
        ? (_added.ContainsKey(token) ? Encoding.UTF8.GetBytes(token) : _decoding.ToBytes(token))
        : [];

    /// <summary>The token as text, with U+FFFD for what is no whole character.</summary>
    public string TokenText(int id) => Encoding.UTF8.GetString(TokenBytes(id));

    /// <summary>Whether the token is control, not content.</summary>
    public bool IsSpecial(int id) => _special.Contains(id);

    /// <summary>The id of an added token, or of a token as the vocabulary writes it; null when there is none.</summary>
    public int? TokenId(string token) =>
        _added.TryGetValue(token, out var id) || _vocabulary.Ids.TryGetValue(token, out id) ? id : null;

    private string? Token(int id) => (uint)id < (uint)_tokens.Length ? _tokens[id] : null;

    private IEnumerable<(int? Id, string Text)> Parts(string text)
    {
        foreach (var part in _rawTokens.Split(text))
        {
            if (part.Id is not null)
            {
                yield return part;
                continue;
            }

            foreach (var inner in _normalizedTokens.Split(_pipeline.Normalizer(part.Text)))
            {
                yield return inner;
            }
        }
    }

    private void EncodeWords(BpeModel model, string text, bool isFirst, List<int> ids)
    {
        foreach (var word in (isFirst ? _pipeline.FirstSplitter : _pipeline.Splitter).Split(text))
        {
            model.Encode(word, ids);
        }
    }
}
