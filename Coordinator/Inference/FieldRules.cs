using System.Globalization;
using System.Text.Json;

namespace ClusterLlm.Coordinator.Inference;

/// <summary>Rules for one field of a JSON object. Each gives the error, or <see langword="null"/>; <c>null</c> values count as absent.</summary>
internal static class FieldRules
{
    public const string InvalidType = "invalid_type";
    public const string InvalidValue = "invalid_value";
    public const string Missing = "missing_required_parameter";

    /// <summary>The field's value; <see langword="false"/> when it is absent or <c>null</c>.</summary>
    public static bool Has(JsonElement owner, string name, out JsonElement value) =>
        owner.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    public static ApiError? Flag(JsonElement owner, string name) =>
        Has(owner, name, out var value) && value.ValueKind is not (JsonValueKind.True or JsonValueKind.False)
            ? WrongType(name, "true or false", value)
            : null;

    public static ApiError? Text(JsonElement owner, string name, string path) =>
        Has(owner, name, out var value) && JsonText.TextOrNull(value) is null ? WrongType(path, "a string", value) : null;

    public static ApiError? RequiredText(JsonElement owner, string name, string path)
    {
        if (!Has(owner, name, out var value))
        {
            return Absent(path, "a string");
        }

        return JsonText.TextOrNull(value) switch
        {
            null => WrongType(path, "a string", value),
            "" => ApiError.BadRequest($"'{path}' is empty.", path, InvalidValue),
            _ => null,
        };
    }

    /// <summary>A finite number in [<paramref name="least"/>, <paramref name="most"/>].</summary>
    public static ApiError? Number(JsonElement owner, string name, double least, double most)
    {
        if (!Has(owner, name, out var value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number)
        {
            return WrongType(name, "a number", value);
        }

        // Too large for a double reads as infinity, which is out of every range.
        return value.TryGetDouble(out var number) && number >= least && number <= most
            ? null
            : OutOfRange(name, value, $"from {Show(least)} to {Show(most)}");
    }

    /// <summary>A whole number in [<paramref name="least"/>, <paramref name="most"/>].</summary>
    public static ApiError? Integer(JsonElement owner, string name, long least, long most)
    {
        if (!Has(owner, name, out var value))
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number)
        {
            return WrongType(name, "a whole number", value);
        }

        if (TryWhole(value, out var number) && number >= least && number <= most)
        {
            return null;
        }

        return OutOfRange(name, value, (least, most) switch
        {
            (long.MinValue, _) => "a whole number of 64 bits",
            (_, long.MaxValue or int.MaxValue) => $"a whole number of at least {least}",
            _ => $"a whole number from {least} to {most}",
        });
    }

    /// <summary>Whole numbers also as <c>16.0</c>: some languages have no other.</summary>
    public static bool TryWhole(JsonElement value, out long number)
    {
        if (value.TryGetInt64(out number))
        {
            return true;
        }

        const double ExactLimit = 9007199254740992;
        if (value.TryGetDouble(out var real) && real == Math.Truncate(real) && Math.Abs(real) <= ExactLimit)
        {
            number = (long)real;
            return true;
        }

        return false;
    }

    public static ApiError Absent(string path, string expected) =>
        ApiError.BadRequest($"'{path}' is missing: it must be {expected}.", path, Missing);

    public static ApiError WrongType(string path, string expected, JsonElement value) =>
        ApiError.BadRequest($"'{path}' must be {expected}, but is {JsonText.Show(value)}.", path, InvalidType);

    public static ApiError OutOfRange(string path, JsonElement value, string range) =>
        ApiError.BadRequest($"'{path}' is {JsonText.Show(value)}: it must be {range}.", path, InvalidValue);

    private static string Show(double bound) => bound.ToString(CultureInfo.InvariantCulture);
}
