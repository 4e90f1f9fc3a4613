/* SPDX-License-Identifier: BSD-2-Clause */
#include "format.h"

#include <stdbool.h>
#include <stdint.h>

struct out {
    char *text;
    size_t size, length;
};

struct spec {
    unsigned width;
    bool left, zero;
};

static void put(struct out *out, char c)
{
    if (out->length + 1 < out->size)
        out->text[out->length] = c;
    out->length++;
}

static void put_padded(struct out *out, const struct spec *spec, const char *text, size_t length)
{
    size_t pad = spec->width > length ? spec->width - length : 0;

    if (spec->zero && !spec->left && length > 0 && *text == '-') {
        put(out, '-');
        text++;
        length--;
    }
    if (!spec->left)
        for (; pad > 0; pad--)
            put(out, spec->zero ? '0' : ' ');
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
    for (; pad > 0; pad--)
        put(out, ' ');
}

static void put_number(struct out *out, const struct spec *spec, uint64_t value, unsigned base, bool negative)
{
    char digits[24];
    size_t at = sizeof digits;

    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    if (negative)
        digits[--at] = '-';
    put_padded(out, spec, digits + at, sizeof digits - at);
}

size_t format_va(char *text, size_t size, const char *format, va_list arguments)
{
    struct out out = {.text = text, .size = size};

    for (; *format; format++) {
        const char *start = format;
        struct spec spec = {0};
        bool wide = false;

        if (*format != '%') {
            put(&out, *format);
            continue;
        }
        format++;
        for (; *format == '-' || *format == '0'; format++) {
            spec.left |= *format == '-';
            spec.zero |= *format == '0';
        }
        for (; *format >= '0' && *format <= '9'; format++)
            spec.width = spec.width * 10 + (unsigned)(*format - '0');
        for (; *format == 'l' || *format == 'z'; format++)
            wide = true;
        switch (*format) {
        case 's': {
            const char *s = va_arg(arguments, const char *);
            size_t length = 0;

            if (!s)
                s = "(null)";
            while (s[length])
                length++;
            spec.zero = false;
            put_padded(&out, &spec, s, length);
            break;
        }
        case 'c': {
            char c = (char)va_arg(arguments, int);

            spec.zero = false;
            put_padded(&out, &spec, &c, 1);
            break;
        }
        case 'd': {
            int64_t value = wide ? va_arg(arguments, long) : va_arg(arguments, int);

            put_number(&out, &spec, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, value < 0);
            break;
        }
        case 'u':
        case 'x': {
            uint64_t value = wide ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);

            put_number(&out, &spec, value, *format == 'x' ? 16 : 10, false);
            break;
        }
        case '%':
            put(&out, '%');
            break;
        default:
            for (; start < format; start++)
                put(&out, *start);
            if (!*format)
                goto done;
            put(&out, *format);
        }
    }
done:
    text[out.length < size ? out.length : size - 1] = 0;
    return out.length;
}

size_t format(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = format_va(text, size, format, arguments);
    va_end(arguments);
    return length;
}
