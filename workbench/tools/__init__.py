"""The tools that programs call: embedded models, models of the hub, and exact oracles.

Files:
    arguments.py         checks of arguments, and the loop every tool shares
    coco_names.py        from a program's words to COCO's classes
    detector.py          finding things with the embedded closed-set detector: find and exists
    endpoint_eyes.py     visual questions, properties, text match, captions behind an endpoint
    hub_detect.py        detectors of the hub
    hub_images.py        depth and image-text similarity, models of the hub
    knowledge.py         general knowledge asked of a language model: llm_query
    lending.py            eyes for tools that bring no model of their own
    ocr.py               text in a patch (RapidOCR)
    oracle.py            exact answers from a scene's record
    picture_steps.py     steps whose result is a picture: zoom, rotate, mark, and others
    picture_questions.py  what programs ask of a model that sees
    regions.py           finding things by every name the bundled student was taught
    visual_questions.py  visual questions, properties, text match, captions
    yesno.py             taking yes/no questions of general knowledge apart
"""
