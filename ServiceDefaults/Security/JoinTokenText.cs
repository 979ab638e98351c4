using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace ClusterLlm.ServiceDefaults.Security;

/// <summary>Join tokens as text: <c>cllm1-ID-SECRET-AUTHORITY-ADDRESSES-CHECK</c>, everything but the first part in base32.</summary>
/// <remarks>
/// The check (40 bits of a SHA-256 over all before it) tells a token that was cut off or mistyped from one that is wrong, before anybody is asked.
/// Problems name positions and never the text: most of it is a secret.
/// </remarks>
public static class JoinTokenText
{
    private const string Family = "cllm";
    private const string Version = Family + "1";
    private const char Separator = '-';

    // In place of an empty list, since an empty part looks like a slip. No base32 digit.
    private const string NoAddresses = "0";

    private const int LongestText = 2048;
    private const int PartCount = 6;
    private const int CheckBytes = 5;

    // Of the parts between version and check; addresses have any length.
    private static readonly (string Name, int Length)[] FixedParts = [("id", 8), ("secret", 32), ("authority", 52)];
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Write(JoinToken token)
    {
        var addresses = token.Addresses.IsEmpty ? NoAddresses : Base32.Encode(Encoding.UTF8.GetBytes(string.Join(',', token.Addresses)));
        var body = string.Join(Separator, Version, token.Id, token.Secret, Base32.Encode(token.Authority.ToBytes()), addresses);
        return body + Separator + Check(body);
    }

    /// <summary>Reads a token; white space around it and capital letters do not matter.</summary>
    /// <param name="problem">What is wrong with <paramref name="text"/> and what to do, without repeating it.</param>
    public static bool TryRead(string? text, [NotNullWhen(true)] out JoinToken? token, [NotNullWhen(false)] out string? problem)
    {
        token = null;
        var trimmed = (text ?? "").Trim().ToLowerInvariant();
        problem = FormProblem(trimmed);
        if (problem is not null)
        {
            return false;
        }

        var parts = trimmed.Split(Separator);
        if (Base32.Decode(parts[3]) is not { } authority || !TryReadAddresses(parts[4], out var addresses))
        {
            problem = "The join token has a right checksum but can't be read: it was not made by this version of ClusterLlm.";
            return false;
        }

        token = new JoinToken(parts[1], parts[2], AuthorityFingerprint.From(authority), addresses);
        return true;
    }

    private static string? FormProblem(string text)
    {
        if (text.Length == 0)
        {
            return "The join token is empty. Make one with 'token create' on the Coordinator's machine.";
        }

        if (text.Length > LongestText)
        {
            return $"The join token has {text.Length} characters; none has more than {LongestText}. Copy only the token.";
        }

        if (!text.StartsWith(Version + Separator, StringComparison.Ordinal))
        {
            return StartProblem(text);
        }

        if (text.AsSpan(Version.Length).IndexOfAnyExcept($"{Base32.Alphabet}{NoAddresses}{Separator}") is var odd && odd >= 0)
        {
            return $"The join token has a character at position {odd + Version.Length + 1} that no token has; a token is letters, the digits 2 to 7 and '-'. Copy it again.";
        }

        return LengthProblem(text) ?? CheckProblem(text);
    }

    private static string StartProblem(string text)
    {
        if ((Version + Separator).StartsWith(text, StringComparison.Ordinal))
        {
            return $"The join token is cut off: only its first {text.Length} characters are here. Copy it again, whole.";
        }

        return text.StartsWith(Family, StringComparison.Ordinal) && char.IsAsciiDigit(text.ElementAtOrDefault(Family.Length))
            ? $"The join token is of another version than {Version}: use the same release of ClusterLlm on both machines."
            : $"This is no join token: one begins with '{Version}{Separator}'.";
    }

    private static string? LengthProblem(string text)
    {
        var parts = text.Split(Separator);
        for (var index = 0; index < FixedParts.Length && index + 1 < parts.Length; index++)
        {
            var (name, length) = FixedParts[index];
            var found = parts[index + 1].Length;
            if (found != length && index + 2 < parts.Length)
            {
                return $"The join token's {name} has {found} characters instead of {length}: something is missing or was added in the middle. Copy it again, whole.";
            }
        }

        var checkLength = Base32.Encode(new byte[CheckBytes]).Length;
        if (parts.Length < PartCount || (parts.Length == PartCount && parts[^1].Length < checkLength))
        {
            return $"The join token is cut off: it ends after {text.Length} characters. Copy it again, whole.";
        }

        return parts.Length > PartCount || parts[^1].Length > checkLength
            ? "The join token has more behind its end: copy only the token."
            : null;
    }

    private static string? CheckProblem(string text)
    {
        var end = text.LastIndexOf(Separator);
        return text[(end + 1)..] == Check(text[..end])
            ? null
            : "The join token's checksum does not fit: a character was changed or is missing. Copy it again, whole.";
    }

    private static bool TryReadAddresses(string part, out ImmutableArray<string> addresses)
    {
        addresses = [];
        if (part == NoAddresses)
        {
            return true;
        }

        try
        {
            if (Base32.Decode(part) is not { } bytes)
            {
                return false;
            }

            addresses = [.. StrictUtf8.GetString(bytes).Split(',')];
            return addresses.All(IsAddress);
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }

    private static bool IsAddress(string address) =>
        Uri.TryCreate($"https://{address}/", UriKind.Absolute, out var uri) && uri.AbsolutePath == "/" && uri.UserInfo.Length == 0 && !address.Contains('/');

    private static string Check(string body) => Base32.Encode(SHA256.HashData(Encoding.UTF8.GetBytes(body)).AsSpan(0, CheckBytes));
}
